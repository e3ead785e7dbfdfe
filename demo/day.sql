-- One moment in the life of the shop: a new order, one that goes on, a price, a customer, now and then something that is
-- taken back. `make demo` runs it again and again, so that the continuous job has something to follow.
begin;
with customer as (select id from customers order by random() limit 1),
     placed as (
       insert into orders (placed_on, id, customer_id, bill_to, state, placed_at, total, note)
       select current_date, (select coalesce(max(id), 0) + 1 from orders), c.id, a.id, 'new', now(), 0, 'placed while the demo runs'
       from customer c join lateral (select id from addresses where customer_id = c.id order by id limit 1) a on true
       returning placed_on, id),
     lines as (
       insert into order_lines (placed_on, order_id, line_no, product_id, quantity, unit_price)
       select o.placed_on, o.id, row_number() over (), p.id, 1 + (random() * 4)::int, p.price
       from placed o cross join lateral (select id, price from products where price is not null order by random() limit 1 + (random() * 4)::int) p
       returning placed_on, order_id, quantity * unit_price as amount)
select sum(amount) as total, min(placed_on) as placed_on, min(order_id) as order_id from lines \gset
update orders set total = :total where placed_on = :'placed_on' and id = :order_id;
commit;

-- An older order goes on.
update orders o set state = case o.state when 'new' then 'paid' when 'paid' then 'shipped' else 'delivered' end::order_state
from (select placed_on, id from orders where state in ('new', 'paid', 'shipped') order by random() limit 1) n
where (o.placed_on, o.id) = (n.placed_on, n.id);

-- A price changes in every order that shows the product.
update products set price = round(price * (0.95 + random() * 0.1)::numeric, 2)
where id = (select id from products where price is not null order by random() limit 1);

-- A customer moves, or an order of today is cancelled and taken out with all that belongs to it.
update customers set phone = '+49 30 ' || (100000 + random() * 899999)::int
where id = (select id from customers order by random() limit 1);
begin;
create temp table taken_out on commit drop as
  select placed_on, id from orders where random() < 0.2 and placed_on = current_date and state = 'new' limit 1;
delete from order_lines l using taken_out t where (l.placed_on, l.order_id) = (t.placed_on, t.id);
delete from orders o using taken_out t where (o.placed_on, o.id) = (t.placed_on, t.id);
commit;
