-- The tables of TPC-H with rows that only resemble it: as many, as long, with the same keys between them.
create function pick(seed bigint, salt int, most bigint) returns bigint immutable parallel safe language sql
  as $$ select abs(hashint8(seed * 1000003 + salt)::bigint) % most $$;
create function prose(seed bigint, salt int, length bigint) returns text immutable parallel safe language sql
  as $$ select left(md5((seed * 7 + salt)::text) || ' ' || md5((seed * 11 + salt)::text) || ' ' || md5((seed * 13 + salt)::text)
    || ' ' || md5((seed * 17 + salt)::text) || ' ' || md5((seed * 19 + salt)::text), length::int) $$;
create function offer(part bigint, number bigint) returns int immutable parallel safe language sql
  as $$ select ((part * 7 + number * (:suppliers / 4)) % :suppliers + 1)::int $$;

create table region(r_regionkey integer not null, r_name char(25) not null, r_comment varchar(152));
create table nation(n_nationkey integer not null, n_name char(25) not null, n_regionkey integer not null, n_comment varchar(152));
create table supplier(s_suppkey integer not null, s_name char(25) not null, s_address varchar(40) not null, s_nationkey integer not null,
  s_phone char(15) not null, s_acctbal decimal(15,2) not null, s_comment varchar(101) not null);
create table customer(c_custkey integer not null, c_name varchar(25) not null, c_address varchar(40) not null, c_nationkey integer not null,
  c_phone char(15) not null, c_acctbal decimal(15,2) not null, c_mktsegment char(10) not null, c_comment varchar(117) not null);
create table part(p_partkey integer not null, p_name varchar(55) not null, p_mfgr char(25) not null, p_brand char(10) not null,
  p_type varchar(25) not null, p_size integer not null, p_container char(10) not null, p_retailprice decimal(15,2) not null,
  p_comment varchar(23) not null);
create table partsupp(ps_partkey integer not null, ps_suppkey integer not null, ps_availqty integer not null,
  ps_supplycost decimal(15,2) not null, ps_comment varchar(199) not null);
create table orders(o_orderkey bigint not null, o_custkey integer not null, o_orderstatus char(1) not null,
  o_totalprice decimal(15,2) not null, o_orderdate date not null, o_orderpriority char(15) not null, o_clerk char(15) not null,
  o_shippriority integer not null, o_comment varchar(79) not null);
create table lineitem(l_orderkey bigint not null, l_partkey integer not null, l_suppkey integer not null, l_linenumber integer not null,
  l_quantity decimal(15,2) not null, l_extendedprice decimal(15,2) not null, l_discount decimal(15,2) not null,
  l_tax decimal(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null, l_shipdate date not null,
  l_commitdate date not null, l_receiptdate date not null, l_shipinstruct char(25) not null, l_shipmode char(10) not null,
  l_comment varchar(44) not null);

insert into region select i, 'REGION ' || i, prose(i, 1, 60) from generate_series(0, 4) i;
insert into nation select i, 'NATION ' || i, i % 5, prose(i, 2, 70) from generate_series(0, 24) i;
insert into supplier select i, 'Supplier#' || lpad(i::text, 9, '0'), prose(i, 3, 10 + pick(i, 3, 30)), pick(i, 4, 25),
  '11-719-748-3364', pick(i, 5, 1099999) / 100.0 - 999.99, prose(i, 6, 25 + pick(i, 6, 76)) from generate_series(1, :suppliers) i;
insert into customer select i, 'Customer#' || lpad(i::text, 9, '0'), prose(i, 7, 10 + pick(i, 7, 30)), pick(i, 8, 25),
  '25-989-741-2988', pick(i, 9, 1099999) / 100.0 - 999.99, 'BUILDING', prose(i, 10, 29 + pick(i, 10, 88))
  from generate_series(1, :customers) i;
insert into part select i, prose(i, 11, 33), 'Manufacturer#' || 1 + pick(i, 12, 5), 'Brand#' || 11 + pick(i, 13, 45),
  'STANDARD POLISHED TIN', 1 + pick(i, 14, 50), 'LG CASE', (90000 + (i / 10) % 20001 + 100 * (i % 1000)) / 100.0,
  prose(i, 15, 5 + pick(i, 15, 18)) from generate_series(1, :parts) i;
insert into partsupp select i, offer(i, j), 1 + pick(i, 16 + j::int, 9999), pick(i, 20 + j::int, 100000) / 100.0,
  prose(i, 24 + j::int, 49 + pick(i, 24, 110)) from generate_series(1, :parts) i, generate_series(0, 3) j;
insert into orders select i, 1 + pick(i, 30, :customers), 'O', pick(i, 31, 50000000) / 100.0, date '1992-01-01' + pick(i, 32, 2406)::int,
  '5-LOW', 'Clerk#' || lpad(pick(i, 33, 1000)::text, 9, '0'), 0, prose(i, 34, 19 + pick(i, 34, 60)) from generate_series(1, :orders) i;
insert into lineitem select o, p, offer(p, pick(o, 40 + l, 4)), l, 1 + pick(o, 50 + l, 50), pick(o, 60 + l, 9500000) / 100.0,
  pick(o, 70 + l, 11) / 100.0, pick(o, 80 + l, 9) / 100.0, 'N', 'O', day, day + 30, day + 15, 'DELIVER IN PERSON', 'TRUCK',
  prose(o, 90 + l, 10 + pick(o, 90 + l, 34))
  from generate_series(1, :orders) o cross join lateral generate_series(1, 1 + pick(o, 35, 7)::int) l
  cross join lateral (select 1 + pick(o, 100 + l, :parts) p, date '1992-01-02' + pick(o, 110 + l, 2500)::int as day) picked;

drop function pick, prose, offer;
alter table region add primary key (r_regionkey);
alter table nation add primary key (n_nationkey);
alter table supplier add primary key (s_suppkey);
alter table customer add primary key (c_custkey);
alter table part add primary key (p_partkey);
alter table partsupp add primary key (ps_partkey, ps_suppkey);
alter table orders add primary key (o_orderkey);
alter table lineitem add primary key (l_orderkey, l_linenumber);
alter table nation add foreign key (n_regionkey) references region;
alter table supplier add foreign key (s_nationkey) references nation;
alter table customer add foreign key (c_nationkey) references nation;
alter table partsupp add foreign key (ps_partkey) references part;
alter table partsupp add foreign key (ps_suppkey) references supplier;
alter table orders add foreign key (o_custkey) references customer;
alter table lineitem add foreign key (l_orderkey) references orders;
alter table lineitem add foreign key (l_partkey, l_suppkey) references partsupp;
