//! The task that keeps what is known of an engine's containers.
//!
//! First the stream of events is opened, then the list is taken, so that no container falls between the two. What goes wrong ends the
//! stream, is told once in a while, and is tried again after a pause that doubles; what is known goes on being told meanwhile.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::client::{EngineFault, Happened};
use super::{Engine, container, key};
use crate::log::RateLimited;

static UNREACHABLE: RateLimited = RateLimited::every(Duration::from_secs(600));
static UNANSWERED: RateLimited = RateLimited::every(Duration::from_secs(600));

impl Engine {
    /// Keeps what is known until `stop`. Only the first call does.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut asked) = asked {
            stop.run_until_cancelled(self.follow_on(&mut asked)).await;
        }
    }

    async fn follow_on(&self, asked: &mut Receiver<Box<str>>) -> Infallible {
        let (first, longest) = self.times.pause;
        let mut pause = first;
        loop {
            let began = Instant::now();
            let Err(fault) = self.follow_once(asked).await;
            if let Some(held_back) = UNREACHABLE.admit() {
                let socket = self.socket().display();
                tracing::warn!(
                    %socket, %fault, held_back,
                    "the docker engine cannot be followed: events of new containers go without its fields"
                );
            }
            sleep(pause).await;
            pause = if began.elapsed() > 2 * longest { first } else { (pause * 2).min(longest) };
        }
    }

    /// Until something goes wrong.
    async fn follow_once(&self, asked: &mut Receiver<Box<str>>) -> Result<Infallible, EngineFault> {
        let mut events = self.client.events().await?;
        let containers = self.warm().await?;
        tracing::info!(socket = %self.socket().display(), containers, "following the docker engine");
        let mut round = tokio::time::interval(self.times.round);
        let mut listed = Instant::now();
        loop {
            tokio::select! {
                happened = events.next() => self.happened(&happened?).await,
                Some(id) = asked.recv() => {
                    self.learn(&id).await;
                    sleep(self.times.between).await;
                }
                _ = round.tick() => {
                    self.next_round();
                    if listed.elapsed() >= self.times.relist {
                        self.warm().await?;
                        listed = Instant::now();
                    }
                }
            }
        }
    }

    async fn happened(&self, happened: &Happened) {
        match happened.action.as_str() {
            "destroy" => self.leave(&happened.actor.id),
            _ => self.learn(&happened.actor.id).await,
        }
    }

    /// Asks for a container. What goes wrong with one is no reason to look away from all.
    async fn learn(&self, id: &str) {
        let Some((_, id)) = key(id.as_bytes()) else { return };
        let answer = match self.client.container(id).await {
            Ok(Some(body)) => container::inspected(&body),
            Ok(None) => return,
            Err(fault) => Err(fault),
        };
        match answer {
            Ok(container) => self.take(&container),
            Err(fault) => {
                if let Some(held_back) = UNANSWERED.admit() {
                    let socket = self.socket().display();
                    tracing::warn!(%socket, id, %fault, held_back, "the docker engine does not tell of a container");
                }
            }
        }
    }
}
