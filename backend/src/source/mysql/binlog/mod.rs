//! The binary log of MySQL and MariaDB.
//!
//! ```text
//! connection as a replica ─▶ events ─▶ decoder ─▶ changes: what the rows say, what foreign keys add, what is text
//!                                        ▲
//!          catalog, foreign keys ────────┘
//! ```
//!
//! | to | look into |
//! |---|---|
//! | know how a position is written | [`place`], [`gtid`] |
//! | know what becomes of an event | [`decoder`]; what it looks like: [`events`] |
//! | know how a row is read and a value printed | [`rows`], [`cells`]; which columns there are: [`table_map`] |
//! | know what a statement means | [`statement`] |
//! | know what foreign keys change | [`cascade`] |
//! | know what becomes of a prepared transaction | [`held`] |

pub mod bytes;
pub mod cascade;
pub mod cells;
pub mod decoder;
pub mod events;
pub mod gtid;
pub mod held;
pub mod place;
pub mod rows;
pub mod statement;
pub mod table_map;
