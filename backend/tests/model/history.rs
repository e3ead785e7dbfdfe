//! Random histories: transactions over several tables, rolled back ones among them, and every state of the tables that
//! they lead to. Rows are moved, their keys changed, their places swapped; some rows are touched again and again.

use crate::random::Random;
use crate::schema::Schema;
use godwit::source::change_log::Contained;
use godwit::source::postgres::reader::TransactionSet;

pub type Cell = Option<u8>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Stays with the row; the source has nothing like it.
    pub id: u32,
    pub cells: Vec<Cell>,
}

/// All rows at one time, by table.
pub type Database = Vec<Vec<Row>>;

#[derive(Debug, Clone)]
pub enum Change {
    Row {
        table: usize,
        old: Option<Row>,
        new: Option<Row>,
    },
    Truncate {
        table: usize,
    },
}

pub struct Transaction {
    /// As the source counts, beyond 32 bits. Transactions end in another order than they begin.
    pub number: u64,
    pub changes: Vec<Change>,
    pub is_rolled_back: bool,
}

pub struct History {
    /// In the order in which they ended.
    pub transactions: Vec<Transaction>,
    /// `versions[n]` is what can be read when n transactions have committed.
    pub versions: Vec<Database>,
}

const ROWS_MAX: usize = 7;

impl History {
    pub fn random(random: &mut Random, schema: &Schema) -> Self {
        let mut writer = Writer {
            schema,
            database: vec![Vec::new(); schema.tables.len()],
            changes: Vec::new(),
            touched: None,
            truncates: random.percent(25),
            rows: 0,
        };
        for table in 0..schema.tables.len() {
            (0..random.between(0, ROWS_MAX)).for_each(|_| writer.insert(random, table));
        }
        let mut history = Self {
            transactions: Vec::new(),
            versions: vec![writer.database.clone()],
        };
        for _ in 0..random.between(3, 25) {
            writer.changes.clear();
            (0..random.between(1, 4)).for_each(|_| writer.write(random));
            let is_rolled_back = random.percent(12);
            if is_rolled_back {
                writer.database = history.newest().clone();
            } else {
                history.versions.push(writer.database.clone());
            }
            history.transactions.push(Transaction {
                number: 0,
                changes: std::mem::take(&mut writer.changes),
                is_rolled_back,
            });
        }
        history.number(random);
        history
    }

    /// Numbers the transactions in the order in which they began: sometimes across the end of 32 bits.
    fn number(&mut self, random: &mut Random) {
        let mut began: Vec<(usize, usize)> = (0..self.transactions.len())
            .map(|ended| (ended.saturating_sub(random.pick(&[0, 0, 1, 2, 5])), ended))
            .collect();
        began.sort_by_key(|(began, ended)| (*began, usize::MAX - *ended));
        let first = random.pick(&[1_000, (1 << 32) - 5, (7 << 32) - 2]);
        for (place, (_, ended)) in began.into_iter().enumerate() {
            self.transactions[ended].number = first + place as u64;
        }
    }

    /// Forgets all but the first transactions.
    pub fn shorten(&mut self, transactions: usize) {
        self.transactions.truncate(transactions);
        let commits = self.committed().count();
        self.versions.truncate(commits + 1);
    }

    /// Those that the log holds, in its order.
    pub fn committed(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.iter().filter(|t| !t.is_rolled_back)
    }

    pub fn newest(&self) -> &Database {
        self.versions.last().expect("there is always a first version")
    }

    /// What the source says of a version.
    /// <https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-PG-SNAPSHOT>
    pub fn contained_in(&self, version: usize) -> Contained {
        let mut commits = 0;
        let ended = |t: &&Transaction| {
            commits += usize::from(!t.is_rolled_back);
            commits <= version
        };
        let ended: Vec<u64> = self.transactions.iter().take_while(ended).map(|t| t.number).collect();
        let first = self.transactions.iter().map(|t| t.number).min().unwrap_or(0);
        let xmax = ended.iter().max().map_or(first, |newest| newest + 1);
        let in_progress: Vec<u64> = (first..xmax).filter(|number| !ended.contains(number)).collect();
        let xmin = in_progress.first().copied().unwrap_or(xmax);
        let in_progress: Vec<String> = in_progress.iter().map(u64::to_string).collect();
        let text = format!("{xmin}:{xmax}:{}", in_progress.join(","));
        Contained::Numbers(TransactionSet::parse(&text).expect("a snapshot as the source prints it"))
    }
}

/// A session that writes into the tables.
struct Writer<'a> {
    schema: &'a Schema,
    database: Database,
    changes: Vec<Change>,
    /// Table and id of the row that was changed last.
    touched: Option<(usize, u32)>,
    /// Seldom: what is read again as a whole is right again, whatever was wrong before.
    truncates: bool,
    rows: u32,
}

impl Writer<'_> {
    fn write(&mut self, random: &mut Random) {
        let table = random.below(self.schema.tables.len());
        match random.below(100) {
            0..28 => self.insert(random, table),
            28..45 => {
                if let Some((table, place)) = self.some_row(random, table) {
                    self.delete(table, place);
                }
            }
            45..88 => {
                if let Some((table, place)) = self.some_row(random, table) {
                    let cells = self.other_cells(random, table, place);
                    self.update(table, place, cells);
                }
            }
            98.. if self.truncates => self.truncate(table),
            _ => self.swap(random, table),
        }
    }

    /// Often the one that was changed last: it passes through several places.
    fn some_row(&self, random: &mut Random, table: usize) -> Option<(usize, usize)> {
        if let Some((table, id)) = self.touched
            && random.percent(40)
            && let Some(place) = self.database[table].iter().position(|row| row.id == id)
        {
            return Some((table, place));
        }
        let rows = self.database[table].len();
        (rows > 0).then(|| (table, random.below(rows)))
    }

    fn cell(&self, random: &mut Random, table: usize, column: usize) -> Cell {
        let is_key = self.schema.tables[table].primary_key.contains(&column);
        if !is_key && random.percent(12) {
            return None;
        }
        // Keys have more values, so that there are rows enough.
        let values = self.schema.values + if is_key { 2 } else { 0 };
        Some(random.below(values) as u8)
    }

    fn other_cells(&self, random: &mut Random, table: usize, place: usize) -> Vec<Cell> {
        let mut cells = self.database[table][place].cells.clone();
        let count = random.between(1, 2);
        for column in random.distinct(count, cells.len()) {
            let is_key = self.schema.tables[table].primary_key.contains(&column);
            if !is_key || random.percent(50) {
                cells[column] = self.cell(random, table, column);
            }
        }
        cells
    }

    /// Whether another row has the same primary key.
    fn is_taken(&self, table: usize, cells: &[Cell], id: u32) -> bool {
        let key = &self.schema.tables[table].primary_key;
        let is_equal = |row: &Row| row.id != id && key.iter().all(|c| row.cells[*c] == cells[*c]);
        !key.is_empty() && self.database[table].iter().any(is_equal)
    }

    fn insert(&mut self, random: &mut Random, table: usize) {
        let columns = self.schema.tables[table].columns.len();
        let cells: Vec<Cell> = (0..columns).map(|c| self.cell(random, table, c)).collect();
        self.rows += 1;
        let row = Row { id: self.rows, cells };
        if self.database[table].len() >= ROWS_MAX || self.is_taken(table, &row.cells, row.id) {
            return;
        }
        self.touched = Some((table, row.id));
        self.database[table].push(row.clone());
        self.changes.push(Change::Row {
            table,
            old: None,
            new: Some(row),
        });
    }

    fn delete(&mut self, table: usize, place: usize) {
        let row = self.database[table].remove(place);
        self.changes.push(Change::Row {
            table,
            old: Some(row),
            new: None,
        });
    }

    fn update(&mut self, table: usize, place: usize, cells: Vec<Cell>) {
        let old = self.database[table][place].clone();
        if self.is_taken(table, &cells, old.id) {
            return;
        }
        let new = Row { id: old.id, cells };
        self.touched = Some((table, new.id));
        self.database[table][place] = new.clone();
        self.changes.push(Change::Row {
            table,
            old: Some(old),
            new: Some(new),
        });
    }

    /// Two rows of a table change the values of a column with each other.
    fn swap(&mut self, random: &mut Random, table: usize) {
        let rows = random.distinct(2, self.database[table].len());
        let column = random.below(self.schema.tables[table].columns.len());
        let &[a, b] = rows.as_slice() else { return };
        let (of_a, of_b) = (
            self.database[table][a].cells[column],
            self.database[table][b].cells[column],
        );
        for (place, cell) in [(a, of_b), (b, of_a)] {
            let mut cells = self.database[table][place].cells.clone();
            cells[column] = cell;
            self.update(table, place, cells);
        }
    }

    fn truncate(&mut self, table: usize) {
        self.database[table].clear();
        self.changes.push(Change::Truncate { table });
    }
}
