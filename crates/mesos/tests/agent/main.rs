//! What an agent does: each test's name is a fact about Mesos' agent.

mod conversation;
mod drain;
mod executors;
mod kill;
mod launch;
mod operations;
mod recovery;
mod registration;
mod talk;
mod updates;
