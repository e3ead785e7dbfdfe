//! The loop of every target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SECONDS_DEFAULT: f64 = 1.0;
/// Inputs beyond this are cut: most faults show in small ones, and those are tried by the thousand.
const INPUT_BYTES_MAX: usize = 64 << 10;
/// Inputs that were made and are built upon.
const POOL_MAX: usize = 256;
const CHANGES_MAX: usize = 8;
const SHRINK_MAX: Duration = Duration::from_secs(5);

/// One target: what its inputs are made from.
pub struct Fuzz {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    tokens: Vec<Vec<u8>>,
}

/// Why an input fails.
type Fault = String;

impl Fuzz {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            seeds: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// Inputs that are right, or nearly.
    pub fn seeds<T: Into<Vec<u8>>>(mut self, seeds: impl IntoIterator<Item = T>) -> Self {
        self.seeds.extend(seeds.into_iter().map(Into::into));
        self
    }

    /// Pieces that the language of the inputs is made of.
    pub fn tokens<T: Into<Vec<u8>>>(mut self, tokens: impl IntoIterator<Item = T>) -> Self {
        self.tokens.extend(tokens.into_iter().map(Into::into));
        self
    }

    /// Tries inputs until the time is over.
    ///
    /// # Panics
    /// At the first input that the check does not pass, or panics at.
    pub fn run(self, check: impl Fn(&[u8]) -> Result<(), Fault>) {
        let attempt = |input: &[u8]| match catch_unwind(AssertUnwindSafe(|| check(input))) {
            Ok(result) => result,
            Err(panic) => Err(format!("it panics: {}", text_of(&*panic))),
        };
        if let Some(path) = std::env::var_os("GODWIT_FUZZ_INPUT") {
            let input = std::fs::read(&path).expect("the file with the input");
            attempt(&input).unwrap_or_else(|fault| panic!("{}: {fault}", self.name));
            return;
        }
        let seed = number_of("GODWIT_FUZZ_SEED").map_or_else(unix_nanos, |n| n as u64);
        let seconds = number_of("GODWIT_FUZZ_SECONDS").unwrap_or(SECONDS_DEFAULT);
        eprintln!("{}: {seconds} s, GODWIT_FUZZ_SEED={seed}", self.name);
        for input in kept(self.name).into_iter().chain(self.seeds.clone()) {
            self.told(attempt(&input), &input, seed, &attempt);
        }
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        let (mut random, mut pool, mut tried) = (fastrand::Rng::with_seed(seed), self.seeds.clone(), 0_u64);
        while Instant::now() < end {
            let mut input = pool[random.usize(..pool.len())].clone();
            for _ in 0..random.usize(1..=CHANGES_MAX) {
                self.change(&mut input, &pool, &mut random);
            }
            input.truncate(INPUT_BYTES_MAX);
            self.told(attempt(&input), &input, seed, &attempt);
            tried += 1;
            // Nothing says which inputs reach new code, so any may be built upon; the seeds stay.
            if pool.len() < POOL_MAX {
                pool.push(input);
            } else if self.seeds.len() < POOL_MAX {
                pool[random.usize(self.seeds.len()..POOL_MAX)] = input;
            }
        }
        eprintln!("{}: {tried} inputs", self.name);
    }

    fn change(&self, input: &mut Vec<u8>, pool: &[Vec<u8>], random: &mut fastrand::Rng) {
        let at = random.usize(..=input.len());
        let length = random.usize(..=16.min(input.len() - at));
        match random.u8(..10) {
            0 if at < input.len() => input[at] ^= 1 << random.u8(..8),
            1 if at < input.len() => input[at] = random.u8(..),
            2 => input.insert(at, *random.choice(b"\0\r\n\t '\"\\$/*-0\x7f\xff").expect("one")),
            3 => drop(input.drain(at..at + length)),
            4 => {
                let piece = input[at..at + length].to_vec();
                let times_max = if random.u8(..16) == 0 { 400 } else { 3 };
                let times = random.usize(1..=times_max);
                input.splice(at..at, piece.repeat(times));
            }
            5 => {
                let other = &pool[random.usize(..pool.len())];
                let from = random.usize(..=other.len());
                let piece = other[from..random.usize(from..=other.len())].to_vec();
                input.splice(at..at + length, piece);
            }
            6 => {
                // Numbers are where limits are.
                let digits = [
                    "0",
                    "1",
                    "-1",
                    "2147483648",
                    "9223372036854775808",
                    "1e308",
                    "4294967295",
                    "65536",
                ];
                input.splice(at..at + length, random.choice(digits).expect("one").bytes());
            }
            _ if !self.tokens.is_empty() => {
                let token = random.choice(&self.tokens).expect("one").clone();
                input.splice(at..at, token);
            }
            _ => input.push(random.u8(..)),
        }
    }

    fn told(&self, result: Result<(), Fault>, input: &[u8], seed: u64, attempt: &impl Fn(&[u8]) -> Result<(), Fault>) {
        let Err(fault) = result else { return };
        let (small, fault) = shrink(input.to_vec(), fault, attempt);
        let path = target_folder().join(format!("{}-{}", self.name, seed));
        let saved = std::fs::create_dir_all(target_folder()).and_then(|()| std::fs::write(&path, &small));
        let place = match saved {
            Ok(()) => path.display().to_string(),
            Err(error) => format!("not saved: {error}"),
        };
        panic!(
            "{}: {fault}\n  input of {} bytes: {:?}\n  GODWIT_FUZZ_INPUT={place}, or GODWIT_FUZZ_SEED={seed}",
            self.name,
            small.len(),
            String::from_utf8_lossy(&small[..small.len().min(400)])
        );
    }
}

/// Takes pieces away, larger ones first, as long as the input still fails.
fn shrink(mut input: Vec<u8>, mut fault: Fault, attempt: &impl Fn(&[u8]) -> Result<(), Fault>) -> (Vec<u8>, Fault) {
    let end = Instant::now() + SHRINK_MAX;
    let mut size = input.len().div_ceil(2);
    while size > 0 && Instant::now() < end {
        let mut at = 0;
        while at < input.len() && Instant::now() < end {
            let mut smaller = input.clone();
            smaller.drain(at..(at + size).min(input.len()));
            match attempt(&smaller) {
                Err(same) => (input, fault) = (smaller, same),
                Ok(()) => at += size,
            }
        }
        size /= 2;
    }
    (input, fault)
}

/// Inputs that showed a fault once.
fn kept(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/kept").join(name);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| std::fs::read(entry.path()).ok()).collect()
}

/// `target/fuzz` beside the test binaries.
fn target_folder() -> PathBuf {
    let binary = std::env::current_exe().expect("the path of this binary");
    let target = binary.ancestors().nth(3).expect("target/debug/deps");
    target.join("fuzz")
}

/// A number in the environment.
pub fn number_of(variable: &str) -> Option<f64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn unix_nanos() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // Few enough digits that a double holds them.
    now.expect("a clock after 1970").as_micros() as u64
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()))
        .unwrap_or_else(|| "without a text".into())
}
