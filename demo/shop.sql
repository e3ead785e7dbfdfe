-- The sample shop of `make demo`: 16 tables, about 330,000 rows, the same ones every time.
set timezone = 'UTC';
set synchronous_commit = off;

create type product_status as enum ('draft', 'active', 'discontinued');
create type order_state as enum ('new', 'paid', 'shipped', 'delivered', 'cancelled');
create type payment_method as enum ('card', 'transfer', 'wallet', 'voucher');

create table countries (
  code char(2) primary key,
  name text not null,
  currency char(3) not null
);

create table customers (
  id int generated always as identity primary key,
  public_id uuid not null unique,
  full_name text not null,
  email text not null unique,
  phone text,
  birth_date date,
  is_vip boolean not null default false,
  signup_ip inet,
  referred_by int references customers,
  preferences jsonb not null default '{}',
  created_at timestamptz not null
);

create table addresses (
  id int generated always as identity primary key,
  customer_id int not null references customers,
  kind text not null check (kind in ('home', 'work', 'other')),
  street text not null,
  city text not null,
  zip varchar(12),
  country_code char(2) not null references countries
);

create table employees (
  id int generated always as identity primary key,
  manager_id int references employees,
  name text not null,
  title text not null,
  hired_on date not null,
  salary numeric(10, 2) not null,
  badge bytea
);

create table categories (
  id int generated always as identity primary key,
  parent_id int references categories,
  slug text not null unique,
  name text not null
);

create table suppliers (
  id int generated always as identity primary key,
  name text not null,
  country_code char(2) not null references countries,
  rating real,
  contact text
);

create table products (
  id int generated always as identity primary key,
  sku text not null unique,
  name text not null,
  description text,
  category_id int not null references categories,
  status product_status not null,
  price numeric(10, 2) not null,
  weight_kg double precision,
  attributes jsonb not null,
  tags text[] not null,
  created_at timestamptz not null
);

-- A link table with columns of its own.
create table product_suppliers (
  product_id int not null references products,
  supplier_id int not null references suppliers,
  cost numeric(10, 4) not null,
  lead_time interval,
  primary key (product_id, supplier_id)
);

create table product_prices (
  product_id int not null references products,
  valid_from date not null,
  price numeric(10, 2) not null,
  primary key (product_id, valid_from)
);

-- Partitioned by year, hence a composite key.
create table orders (
  placed_on date not null,
  id int not null,
  customer_id int not null,
  employee_id int,
  ship_to int,
  bill_to int not null,
  state order_state not null,
  placed_at timestamptz not null,
  total numeric(12, 2) not null,
  note text,
  primary key (placed_on, id)
) partition by range (placed_on);
create table orders_2022 partition of orders for values from ('2022-01-01') to ('2023-01-01');
create table orders_2023 partition of orders for values from ('2023-01-01') to ('2024-01-01');
create table orders_2024 partition of orders for values from ('2024-01-01') to ('2025-01-01');
create table orders_2025 partition of orders for values from ('2025-01-01') to ('2026-01-01');
create table orders_other partition of orders default;

create table order_lines (
  placed_on date not null,
  order_id int not null,
  line_no smallint not null,
  product_id int not null,
  quantity int not null,
  unit_price numeric(10, 2) not null,
  discount numeric(4, 3),
  primary key (placed_on, order_id, line_no)
);

create table payments (
  id bigint generated always as identity primary key,
  placed_on date not null,
  order_id int not null,
  method payment_method not null,
  amount numeric(12, 2) not null,
  reference uuid not null,
  paid_at timestamptz
);

create table shipments (
  id bigint generated always as identity primary key,
  placed_on date not null,
  order_id int not null,
  carrier text not null,
  tracking text,
  shipped_at timestamptz not null,
  delivered_at timestamptz
);

create table reviews (
  id int generated always as identity primary key,
  product_id int not null,
  customer_id int,
  stars smallint not null check (stars between 1 and 5),
  title text,
  body text not null,
  created_at timestamptz not null
);

create table coupons (
  code text primary key,
  percent numeric(5, 2) not null,
  valid tstzrange not null
);

create table order_coupons (
  placed_on date not null,
  order_id int not null,
  coupon_code text not null,
  primary key (placed_on, order_id, coupon_code)
);

insert into countries (code, name, currency) values
  ('AT', 'Österreich', 'EUR'), ('BR', 'Brasil', 'BRL'), ('CH', 'Schweiz', 'CHF'), ('CZ', 'Česko', 'CZK'), ('DE', 'Deutschland', 'EUR'),
  ('DK', 'Danmark', 'DKK'), ('ES', 'España', 'EUR'), ('FI', 'Suomi', 'EUR'), ('FR', 'France', 'EUR'), ('GB', 'United Kingdom', 'GBP'),
  ('GR', 'Ελλάδα', 'EUR'), ('IS', 'Ísland', 'ISK'), ('JP', '日本', 'JPY'), ('NO', 'Norge', 'NOK'), ('PL', 'Polska', 'PLN'),
  ('PT', 'Portugal', 'EUR'), ('SE', 'Sverige', 'SEK'), ('TR', 'Türkiye', 'TRY'), ('UA', 'Україна', 'UAH'), ('US', 'United States', 'USD');

create temporary table words as select
  array['Ana', 'Bo', 'Zoë', 'Łukasz', 'Søren', 'Şebnem', 'José', 'Chloé', 'Jürgen', 'Оксана', '美咲', 'Nikos', 'Aoife', 'Tariq', 'Ingrid', 'Mateo', 'Yuki'] as first,
  array['Ruiz', 'Lind', 'O''Brien', 'Müller', 'Kowalska', 'Ångström', 'Yılmaz', 'Dvořák', 'Шевченко', '佐藤', 'Papadopoulos', 'da Silva', 'Nguyễn'] as last,
  array['Graz', 'Linz', 'Oslo', 'Kraków', 'Málaga', 'Göteborg', 'Reykjavík', 'São Paulo', 'Zürich', 'İzmir', '京都'] as city,
  array['Harbour', 'Mill', 'Station', 'Church', 'Park', 'Lake', 'Market'] as street,
  array['Walnut', 'Steel', 'Linen', 'Copper', 'Paper', 'Glass', 'Wool', 'Bamboo', 'Cork'] as material,
  array['Lamp', 'Chair', 'Mug', 'Notebook', 'Backpack', 'Kettle', 'Blanket', 'Clock', 'Shelf', 'Vase', 'Tray'] as thing,
  array['new', 'sale', 'gift', 'outdoor', 'fragile', 'handmade', 'recycled'] as tag,
  array['Works as described.', 'Arrived late, but fine.', 'Would buy again 👍', 'Smaller than I thought.', 'Très joli !'] as opinion,
  array['red', 'blue', 'green', 'black', 'natural'] as colour;

insert into customers (public_id, full_name, email, phone, birth_date, is_vip, signup_ip, referred_by, preferences, created_at)
select md5('customer' || i)::uuid,
       first[1 + i % 17] || ' ' || last[1 + i * 7 % 13],
       'customer' || i || '@example.com',
       case when i % 3 > 0 then '+43 660 ' || lpad((i * 7919 % 10000000)::text, 7, '0') end,
       case when i % 11 > 0 then date '1950-01-01' + i * 37 % 20000 end,
       i % 40 = 0,
       case when i % 5 = 0 then ('2001:db8::' || to_hex(i % 65536))::inet else ('10.' || i % 200 || '.' || i * 3 % 250 || '.' || i * 7 % 250)::inet end,
       case when i % 4 = 0 and i > 10 then i / 3 end,
       jsonb_build_object('newsletter', i % 2 = 0, 'language', (array['de', 'en', 'pl', 'ja'])[1 + i % 4], 'sizes', jsonb_build_array(i % 5 + 36, i % 7 + 30)),
       timestamptz '2020-01-01 08:00:00+00' + i * interval '2 hours 13 minutes 5.25 seconds'
from words, generate_series(1, 12000) i;

insert into addresses (customer_id, kind, street, city, zip, country_code)
select (i - 1) % 12000 + 1,
       case when i <= 12000 then 'home' when i % 2 = 0 then 'work' else 'other' end,
       street[1 + i % 7] || ' Street ' || i % 180 + 1,
       city[1 + i * 5 % 11],
       case when i % 13 > 0 then lpad((i * 31 % 99999)::text, 5, '0') end,
       (select code from countries order by code offset i * 3 % 20 limit 1)
from words, generate_series(1, 18000) i;

insert into employees (manager_id, name, title, hired_on, salary, badge)
select case when i > 1 then (i + 5) / 7 end,
       first[1 + i * 3 % 17] || ' ' || last[1 + i * 5 % 13],
       case when i = 1 then 'Managing director' when i <= 8 then 'Head of department' else 'Clerk' end,
       date '2010-01-01' + i * 41 % 4000,
       2400 + i * 977 % 3000 + 0.5,
       case when i % 2 = 0 then decode(md5('badge' || i), 'hex') end
from words, generate_series(1, 120) i;

insert into categories (parent_id, slug, name)
select case when i > 6 then (i - 1) / 4 end, 'category-' || i, material[1 + i % 9] || ' things ' || i
from words, generate_series(1, 60) i;

insert into suppliers (name, country_code, rating, contact)
select last[1 + i * 3 % 13] || ' & ' || last[1 + i * 5 % 13] || ' Ltd.',
       (select code from countries order by code offset i * 7 % 20 limit 1),
       case when i % 9 > 0 then (i * 13 % 50)::real / 10 end,
       case when i % 4 > 0 then 'sales' || i || '@supplier.example' end
from words, generate_series(1, 80) i;

insert into products (sku, name, description, category_id, status, price, weight_kg, attributes, tags, created_at)
select 'SKU-' || lpad(i::text, 6, '0'),
       material[1 + i % 9] || ' ' || thing[1 + i * 7 % 11] || ' No. ' || i,
       case when i % 6 > 0 then repeat('Made with care, kept for long. ', 1 + i % 9) end,
       1 + i * 17 % 60,
       (array['active', 'active', 'active', 'draft', 'discontinued'])[1 + i % 5]::product_status,
       (i * 7919 % 24000)::numeric / 100 + 0.99,
       case when i % 8 > 0 then (i * 37 % 9000)::float8 / 1000 end,
       jsonb_build_object('colour', colour[1 + i % 5], 'size', jsonb_build_object('width', i % 90 + 5, 'height', i % 70 + 3.5), 'certificates', case when i % 3 = 0 then '["FSC", "CE"]'::jsonb else '[]'::jsonb end),
       array(select tag[1 + (i + j * j) % 7] from generate_series(1, i % 4) j),
       timestamptz '2021-01-01 00:00:00+00' + i * interval '11 hours'
from words, generate_series(1, 3000) i;

insert into product_suppliers (product_id, supplier_id, cost, lead_time)
select p, 1 + (p * 7 + s * 31) % 80, round((p * 7919 % 24000)::numeric / 170 + s, 4), case when p % 7 > 0 then (1 + p % 20) * interval '1 day 6 hours' end
from generate_series(1, 3000) p, generate_series(1, 2) s;

insert into product_prices (product_id, valid_from, price)
select p, date '2021-01-01' + v * 365 + p % 300, (p * 7919 % 24000)::numeric / 100 + v
from generate_series(1, 3000) p, generate_series(0, 2) v;

-- Lines first: the total of an order is the sum of its lines.
create temporary table new_lines as
select date '2022-01-01' + (o * 1459 / 50000) as placed_on, o as order_id, l::smallint as line_no,
       1 + (o * 13 + l * 977) % 3000 as product_id, 1 + (o + l) % 4 as quantity,
       ((o * 13 + l * 977) % 24000)::numeric / 100 + 0.5 as unit_price,
       case when (o + l) % 6 = 0 then 0.05 * (1 + o % 3) end as discount
from generate_series(1, 50000) o, generate_series(1, 1 + o % 4) l;

insert into orders (placed_on, id, customer_id, employee_id, ship_to, bill_to, state, placed_at, total, note)
select placed_on, order_id, customer, case when order_id % 3 = 0 then 1 + order_id % 120 end,
       case when order_id % 10 > 0 then case when customer <= 6000 and order_id % 2 = 0 then 12000 + customer else customer end end,
       customer,
       (array['delivered', 'delivered', 'delivered', 'shipped', 'paid', 'new', 'cancelled'])[1 + order_id % 7]::order_state,
       placed_on + (order_id % 86400) * interval '1 second' + interval '0.125 seconds',
       total,
       case when order_id % 17 = 0 then 'Please ring twice – “' || order_id || '”' end
from (select placed_on, order_id, 1 + order_id * 37 % 12000 as customer, round(sum(quantity * unit_price * (1 - coalesce(discount, 0))), 2) as total
      from new_lines group by placed_on, order_id) o;

insert into order_lines (placed_on, order_id, line_no, product_id, quantity, unit_price, discount) select * from new_lines;

insert into payments (placed_on, order_id, method, amount, reference, paid_at)
select placed_on, id, (array['card', 'card', 'transfer', 'wallet', 'voucher'])[1 + (id + part) % 5]::payment_method,
       case when parts = 1 then total when part = 1 then round(total / 2, 2) else total - round(total / 2, 2) end,
       md5('payment' || id || '/' || part)::uuid,
       case when state <> 'new' then placed_at + part * interval '1 hour' end
from orders, lateral (select case when id % 10 = 0 then 2 else 1 end as parts) n, generate_series(1, parts) part
where state <> 'cancelled';

insert into shipments (placed_on, order_id, carrier, tracking, shipped_at, delivered_at)
select placed_on, id, (array['Post', 'DPD', 'UPS'])[1 + id % 3], case when id % 5 > 0 then 'T' || md5(id::text) end,
       placed_at + interval '1 day', case when state = 'delivered' then placed_at + interval '4 days' end
from orders where state in ('shipped', 'delivered');

insert into reviews (product_id, customer_id, stars, title, body, created_at)
select 1 + i * 7 % 3000, case when i % 12 > 0 then 1 + i * 11 % 12000 end, 1 + i * 3 % 5, case when i % 4 > 0 then material[1 + i % 9] || '!' end, opinion[1 + i % 5],
       timestamptz '2022-02-01 12:00:00+00' + i * interval '97 minutes'
from words, generate_series(1, 15000) i;

insert into coupons (code, percent, valid)
select 'SAVE' || i, 2.5 * (1 + i % 8), tstzrange(timestamptz '2022-01-01 00:00:00+00' + i * interval '30 days', case when i % 10 > 0 then timestamptz '2022-01-01 00:00:00+00' + (i + 3) * interval '30 days' end)
from generate_series(1, 50) i;

insert into order_coupons (placed_on, order_id, coupon_code)
select placed_on, id, 'SAVE' || 1 + (id / 10 + n) % 50 from orders, generate_series(1, 1 + id % 20 / 10) n where id % 10 = 0;

-- Keys of the larger tables after their rows: checking them at once takes half the time.
alter table orders add foreign key (customer_id) references customers, add foreign key (employee_id) references employees,
  add foreign key (ship_to) references addresses, add foreign key (bill_to) references addresses;
alter table order_lines add foreign key (product_id) references products, add foreign key (placed_on, order_id) references orders;
alter table payments add foreign key (placed_on, order_id) references orders;
alter table shipments add foreign key (placed_on, order_id) references orders;
alter table reviews add foreign key (product_id) references products, add foreign key (customer_id) references customers;
alter table order_coupons add foreign key (coupon_code) references coupons, add foreign key (placed_on, order_id) references orders;

create index on addresses (customer_id);
create index on orders (customer_id);
create index on payments (placed_on, order_id);
create index on shipments (placed_on, order_id);
create index on reviews (product_id);
-- reviews.customer_id and product_suppliers.supplier_id have no index, as in many a real shop.

drop table words, new_lines;
analyze countries, customers, addresses, employees, categories, suppliers, products, product_suppliers, product_prices, orders, order_lines,
  payments, shipments, reviews, coupons, order_coupons;
