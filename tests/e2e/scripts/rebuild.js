// Makes one root rule, with all below it, in the page as it is shown: by clicks, keys and what is typed into its forms.
const [root, done] = arguments;

const sleep = () => new Promise(go => setTimeout(go, 2));
const one = (css) => document.querySelector(css);
const by = (id) => one(`[data-testid='${id}']`);

async function until(what, find) {
  const end = Date.now() + 10000;
  while (Date.now() < end) {
    const found = find();
    if (found) return found;
    await sleep();
  }
  const said = [...document.querySelectorAll('.gw-toast, [data-testid=offer]')].map(e => e.innerText).join(' | ');
  throw new Error(`waited for ${what}; the page says: ${said}`);
}

const fill = (element, value) => {
  element.value = value;
  element.dispatchEvent(new Event('input', { bubbles: true }));
  element.dispatchEvent(new Event('change', { bubbles: true }));
};

const press = (element, key) => {
  element.focus();
  element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
};

const option = (select, name) => [...select.options].find(o => o.text === name || o.value === name)?.value;

// A synthetic key, in the form of the table that refers.
async function drawKey({ table, target, pairs }) {
  (await until(`the table ${table}`, () => one(`[data-line='${table}']`))).click();
  await until('its form', () => by('table-name')?.innerText === table);
  by('add-key').click();
  const to = await until('the dialog of a key', () => by('key-target'));
  fill(to, option(to, target));
  for (const [from, other] of pairs) {
    await until(`the columns ${from} and ${other}`, () =>
      option(by('key-from-column'), from) && option(by('key-to-column'), other));
    fill(by('key-from-column'), from);
    fill(by('key-to-column'), other);
  }
  (await until('the key is whole', () => one(`[data-testid='key-add']:enabled`))).click();
  await until('the dialog is gone', () => !by('key-target'));
}

async function chosenRule() {
  const line = await until('a rule that is chosen', () => one(`[data-testid='rule'][aria-pressed='true']`));
  return line.dataset.rule;
}

async function choose(rule) {
  const line = await until('the rule', () => one(`[data-testid='rule'][data-rule='${rule}']`));
  if (line.getAttribute('aria-pressed') !== 'true') line.click();
  await until('its form', () =>
    by('rule-form') && one(`[data-testid='rule'][data-rule='${rule}']`)?.getAttribute('aria-pressed') === 'true');
}

async function offer(label, detail) {
  const found = await until(`the offer ${label}, ${detail}`, () =>
    [...document.querySelectorAll('[data-testid=offer]')].find(e => {
      const [own, said] = [...e.querySelectorAll('span')].map(s => s.innerText.trim());
      return own.startsWith(label) && (detail === null || said.replace('synthetic key', 'key') === detail);
    }));
  found.click();
}

const row = (rule, column) => one(`[role=row][data-rule='${rule}'][data-column='${column}']`);
const isHidden = (line) => line.classList.contains('gw-outline__row--hidden');

async function include(rule, column, wanted) {
  const line = await until(`the column ${column}`, () => row(rule, column));
  if (isHidden(line) === !wanted) return;
  press(line, ' ');
  await until(`${column} is ${wanted ? 'there' : 'left out'}`, () => isHidden(row(rule, column)) === !wanted);
}

async function rename(rule, column, name) {
  const line = await until(`the column ${column}`, () => row(rule, column));
  const path = line.dataset.path;
  if (path === name || path.endsWith('.' + name)) return;
  press(line, 'F2');
  const input = await until('an input for the name', () => by('rename-input'));
  input.value = name;
  press(input, 'Enter');
  await until(`${column} is called ${name}`, () => {
    const now = row(rule, column)?.dataset.path;
    return now === name || now?.endsWith('.' + name);
  });
}

async function omit(rule, column) {
  (await until(`the column ${column}`, () => row(rule, column))).click();
  await until('the form of the column', () => by('column-form')?.innerText.includes(column) && by('field-omit'));
  if (!by('field-omit').checked) by('field-omit').click();
  await until('nulls are left out', () => by('field-omit').checked);
}

async function settings(rule, wanted) {
  await choose(rule);
  if (wanted.path !== null && wanted.path !== '' && by('rule-path').value !== wanted.path) {
    fill(by('rule-path'), wanted.path);
    await until('the path', () => by('rule-path').value === wanted.path);
  }
  for (const [name, expression] of wanted.calculated) {
    by('add-calculated').click();
    fill(await until('a name', () => by('new-calculated-name')), name);
    fill(by('new-calculated-expression'), expression);
    by('new-calculated-add').click();
    await until('the calculated field', () => !by('new-calculated-name'));
  }
  if (wanted.filter !== null) fill(by('rule-filter'), wanted.filter);
  if (wanted.sort !== null) {
    fill(by('rule-sort'), wanted.sort[0]);
    const descending = await until('an order', () => by('rule-descending'));
    if (descending.checked !== (wanted.sort[1] === 'DESC')) descending.click();
  }
  if (wanted.limit !== null) fill(by('rule-limit'), String(wanted.limit));
  if (wanted.asDocument) (await until('one element', () => by('rule-as-document'))).click();
}

async function fields(rule, all) {
  // The column that joins a merged rule to its parent has its line there.
  const wanted = all.filter(({ column, isJoin }) => !isJoin || row(rule, column));
  for (const { column, included } of wanted) if (!included) await include(rule, column, false);
  for (const { column, included, name } of wanted) if (included) await rename(rule, column, name);
  for (const { column, included } of wanted) if (included) await include(rule, column, true);
  for (const { column, type } of wanted.filter(f => f.type)) {
    const select = row(rule, column).querySelector('select');
    fill(select, [...select.options].find(o => o.text.toUpperCase().startsWith(type)).value);
  }
  for (const { column } of wanted.filter(f => f.omit)) await omit(rule, column);
}

async function embed(parent, wanted) {
  by('add-rule').click();
  const table = await until('a list of tables', () => by('add-rule-table'));
  fill(table, option(table, wanted.table));
  const before = new Set([...document.querySelectorAll('[data-testid=rule]')].map(e => e.dataset.rule));
  await offer(wanted.label, wanted.detail);
  const made = await until('the new rule', () =>
    [...document.querySelectorAll('[data-testid=rule]')].find(e => !before.has(e.dataset.rule)));
  const rule = made.dataset.rule;
  await settings(rule, wanted);
  await fields(rule, wanted.fields);
  if (wanted.isValues) {
    await choose(rule);
    fill(by('rule-shape'), 'values');
    await until('an array of values', () => by('rule-shape').value === 'values');
  }
  for (const below of wanted.embed) await embed(rule, below);
}

async function make() {
  for (const key of root.keys) await drawKey(key);
  (await until(`the table ${root.table}`, () => one(`[data-line='${root.table}']`))).click();
  await until('its form', () => by('table-name')?.innerText === root.table);
  by('map-table').click();
  await offer('New collection', null);
  const name = await until('the form of the collection', () => by('collection-name'));
  await until('the rule', () => by('rule-form'));
  const rule = one(`[data-testid='rule']`).dataset.rule;
  if (name.value !== root.collection) {
    fill(name, root.collection);
    await until('the name', () => by('collection-name').value === root.collection);
  }
  await settings(rule, root);
  await fields(rule, root.fields);
  for (const below of root.embed) await embed(rule, below);
}

make().then(() => done(null), error => done(String(error)));
