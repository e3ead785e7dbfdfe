PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE category (
    category_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    parent_id INTEGER REFERENCES category (category_id)
);
CREATE TABLE product (
    product_id INTEGER PRIMARY KEY,
    sku TEXT NOT NULL COLLATE NOCASE UNIQUE,
    title TEXT NOT NULL,
    price NUMERIC(10, 2) NOT NULL,
    category_id INTEGER NOT NULL REFERENCES category (category_id),
    added_on DATE NOT NULL
);
CREATE TABLE product_detail (
    product_id INTEGER PRIMARY KEY REFERENCES product (product_id),
    description TEXT NOT NULL,
    weight_grams INTEGER NOT NULL
);
CREATE TABLE customer (
    customer_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    registered_at DATETIME NOT NULL
);
CREATE TABLE address (
    address_id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
    kind TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL
);
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
    placed_at DATETIME NOT NULL,
    status TEXT NOT NULL,
    note TEXT
);
CREATE TABLE order_line (
    order_id INTEGER NOT NULL REFERENCES orders (order_id),
    line_no INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES product (product_id),
    quantity INTEGER NOT NULL,
    unit_price NUMERIC(10, 2) NOT NULL,
    PRIMARY KEY (order_id, line_no)
) WITHOUT ROWID;
CREATE TABLE payment (
    payment_id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL UNIQUE REFERENCES orders (order_id),
    amount NUMERIC(10, 2) NOT NULL,
    paid_at DATETIME NOT NULL
);
CREATE TABLE review (
    review_id INTEGER PRIMARY KEY,
    product_id INTEGER NOT NULL REFERENCES product (product_id),
    customer_id INTEGER NOT NULL REFERENCES customer (customer_id),
    stars INTEGER NOT NULL,
    text TEXT
);
CREATE INDEX address_customer ON address (customer_id);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX line_product ON order_line (product_id);
CREATE INDEX product_category ON product (category_id);
CREATE INDEX review_product ON review (product_id);
CREATE INDEX review_customer ON review (customer_id);
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) SELECT i FROM n;
INSERT INTO category VALUES (1, 'Kitchen', NULL), (2, 'Garden', NULL), (3, 'Books', NULL), (4, 'Pots', 1), (5, 'Knives', 1),
    (6, 'Seeds', 2), (7, 'Tools', 2), (8, 'Travel', 3), (9, 'Novels', 3);
INSERT INTO product SELECT i, printf('%s-%03d', substr('POTKNISEETOOTRANOV', 1 + i % 6 * 3, 3), i),
    printf('%s %d', CASE i % 6 WHEN 0 THEN 'Pot' WHEN 1 THEN 'Knife' WHEN 2 THEN 'Seeds' WHEN 3 THEN 'Spade' WHEN 4 THEN 'Guide' ELSE 'Novel' END, i),
    (199 + i * 37 % 4800) / 100.0, 4 + i % 6, date('2022-01-01', printf('+%d days', i * 3)) FROM n WHERE i <= 240;
INSERT INTO product_detail SELECT product_id, 'All there is to say of ' || title || '.', 50 + product_id * 13 % 3000 FROM product;
INSERT INTO customer SELECT i, printf('%s %s',
    CASE i % 7 WHEN 0 THEN 'Ada' WHEN 1 THEN 'Bo' WHEN 2 THEN 'Chidi' WHEN 3 THEN 'Dana' WHEN 4 THEN 'Emil' WHEN 5 THEN 'Fatma' ELSE 'Gus' END,
    CASE i % 5 WHEN 0 THEN 'Berg' WHEN 1 THEN 'Okafor' WHEN 2 THEN 'Silva' WHEN 3 THEN 'Tan' ELSE 'Weiss' END),
    printf('customer%d@example.org', i), datetime('2023-01-01', printf('+%d hours', i * 11)) FROM n WHERE i <= 600;
INSERT INTO address SELECT i, 1 + i * 7 % 600, CASE i % 2 WHEN 0 THEN 'home' ELSE 'work' END, printf('%d Long Road', i),
    CASE i % 4 WHEN 0 THEN 'Lisbon' WHEN 1 THEN 'Lagos' WHEN 2 THEN 'Lyon' ELSE 'Lima' END FROM n WHERE i <= 900;
INSERT INTO orders SELECT i, 1 + i * 13 % 600, datetime('2024-01-01', printf('+%d minutes', i * 97)),
    CASE i % 4 WHEN 0 THEN 'open' ELSE 'shipped' END, CASE i % 9 WHEN 0 THEN 'leave at the door' END FROM n WHERE i <= 2000;
INSERT INTO order_line SELECT 1 + i / 3, 1 + i % 3, 1 + i * 17 % 240, 1 + i % 4, (199 + (1 + i * 17 % 240) * 37 % 4800) / 100.0
    FROM n WHERE 1 + i / 3 <= 2000;
INSERT INTO payment SELECT order_id, order_id, (SELECT coalesce(sum(quantity * unit_price), 0) FROM order_line l WHERE l.order_id = o.order_id),
    datetime(placed_at, '+2 hours') FROM orders o WHERE status = 'shipped';
INSERT INTO review SELECT i, 1 + i * 11 % 240, 1 + i * 19 % 600, 1 + i % 5, CASE i % 3 WHEN 0 THEN 'As described.' END FROM n WHERE i <= 1200;
DROP TABLE n;
COMMIT;
