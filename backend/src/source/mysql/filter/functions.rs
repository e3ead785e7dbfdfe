//! Functions that a filter may call: those that compute and do nothing else. All others are refused: they would sleep,
//! lock, read files, or are somebody's own.

/// What a function makes of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// It depends on its arguments alone.
    Pure,
    /// It gives another value at another time.
    Time,
    Chance,
}

const PURE: &str = "abs ceil ceiling floor round truncate mod sign sqrt pow power exp ln log log2 log10 pi sin cos tan asin \
    acos atan atan2 cot degrees radians crc32 greatest least coalesce ifnull nullif if isnull concat concat_ws length \
    char_length character_length octet_length bit_length lower lcase upper ucase ltrim rtrim trim left right substring \
    substr mid substring_index replace reverse repeat lpad rpad space instr locate strcmp ascii ord hex unhex bin oct conv \
    md5 sha1 sha sha2 field elt find_in_set make_set soundex format insert quote to_base64 from_base64 date time year month \
    monthname day dayname dayofmonth dayofweek dayofyear weekday week weekofyear yearweek quarter hour minute second \
    microsecond datediff timediff date_add date_sub adddate subdate addtime subtime date_format time_format str_to_date \
    makedate maketime from_days to_days to_seconds time_to_sec sec_to_time last_day period_add period_diff unix_timestamp \
    from_unixtime timestamp convert_tz json_extract json_unquote json_contains json_contains_path json_length json_type \
    json_valid json_keys json_value json_search json_depth json_quote json_array json_object inet_aton inet_ntoa \
    inet6_aton inet6_ntoa is_ipv4 is_ipv6 bit_count regexp_like regexp_instr regexp_substr regexp_replace nvl nvl2 st_x st_y \
    st_astext st_contains st_within st_distance st_intersects st_equals st_geomfromtext st_srid point uuid_to_bin \
    bin_to_uuid binary";

const TIME: &str = "now current_timestamp localtime localtimestamp sysdate curdate current_date curtime current_time utc_date \
    utc_time utc_timestamp";

const CHANCE: &str = "rand uuid uuid_short random_bytes";

/// What the name stands for; `None` of all that may not be called.
pub(super) fn judge(name: &str, has_arguments: bool) -> Option<Judged> {
    let is_of = |list: &str| list.split_whitespace().any(|known| known.eq_ignore_ascii_case(name));
    match () {
        () if name.eq_ignore_ascii_case("unix_timestamp") && !has_arguments => Some(Judged::Time),
        () if is_of(PURE) => Some(Judged::Pure),
        () if is_of(TIME) => Some(Judged::Time),
        () if is_of(CHANCE) => Some(Judged::Chance),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_computes_may_be_called() {
        assert_eq!(judge("COALESCE", true), Some(Judged::Pure));
        assert_eq!(judge("unix_timestamp", false), Some(Judged::Time));
        assert_eq!(judge("unix_timestamp", true), Some(Judged::Pure));
        assert_eq!(judge("rand", false), Some(Judged::Chance));
        for refused in [
            "sleep",
            "benchmark",
            "get_lock",
            "load_file",
            "master_pos_wait",
            "my_function",
            "version",
            "user",
        ] {
            assert_eq!(judge(refused, true), None, "{refused}");
        }
    }
}
