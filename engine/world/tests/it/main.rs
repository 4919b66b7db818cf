//! The world from outside: its answers have the shapes of recorded ones, and it breaks as stories say.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod breaking;
mod shapes;
mod stories;
mod times;
mod watching;

use std::sync::Arc;

use http::{Request, Response};
use serde_json::Value;
use steadfast_core::time::Timestamp;
use steadfast_world::World;
use steadfast_world::clock::WorldClock;
use steadfast_world::memory::{Body, exchange};
use steadfast_world::reply::Serve;
use steadfast_world::story::Story;

/// A world whose first steps have happened.
fn world(story: &str) -> (World, Story) {
    let text = format!("id = \"test\"\ntitle = \"A test\"\nsource = \"a test\"\n{story}");
    let story = Story::parse("test", &text).unwrap();
    let world = World::before(
        &story,
        WorldClock::starting_at(Timestamp::from_millis(1_767_225_600_000)),
    );
    for (_, step) in story.steps.iter().filter(|(at, _)| at.as_millis() == 0) {
        world.apply(step);
    }
    (world, story)
}

/// Lets everything later happen that comes at that second.
fn happen(world: &World, story: &Story, second: i64) {
    let mut steps = story
        .steps
        .iter()
        .filter(|(at, _)| at.as_millis() == second * 1000)
        .peekable();
    assert!(steps.peek().is_some(), "the story has no step at {second}s");
    steps.for_each(|(_, step)| world.apply(step));
}

async fn get(server: Arc<dyn Serve>, path: &str) -> std::io::Result<Response<Body>> {
    exchange(server, Request::get(path).body(()).unwrap()).await
}

async fn json(server: Arc<dyn Serve>, path: &str) -> (u16, Value) {
    use http_body_util::BodyExt;
    let response = get(server, path).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn kubernetes(world: &World) -> Arc<dyn Serve> {
    Arc::clone(&world.clusters()["local"]) as Arc<dyn Serve>
}

fn flink(world: &World) -> Arc<dyn Serve> {
    Arc::clone(&world.flinks()["orders"]) as Arc<dyn Serve>
}

const RUNNING: &str = r#"
[[target]]
name = "orders"
[[step]]
at = "0s"
deployment = {}
pods = [{ name = "jm-1" }]
jobs = [{ id = "j1", checkpoints = { completed = 2, failed = 1 } }]
"#;
