//! How much memory the process holds while worlds are played: what befalls an engine leaves nothing behind.

use anyhow::Context as _;

/// So many worlds tell something; the first ones fill what is kept for all.
const WORLDS: usize = 80;
/// Of what is held in the second quarter of the worlds, the last may hold so much, in hundredths. Worlds differ, and others are
/// played beside them.
const SHARE: u64 = 150;

/// What the process holds after each world, in KiB.
#[derive(Default)]
pub struct Held(Vec<u64>);

impl Held {
    pub fn note(&mut self) -> anyhow::Result<()> {
        self.0.push(resident()?);
        Ok(())
    }

    /// Whether more is held the more worlds are played.
    pub fn objection(&self) -> Option<String> {
        let quarter = self.0.len() / 4;
        let most = |from: usize| self.0.get(from * quarter..(from + 1) * quarter)?.iter().max();
        let (early, late) = (most(1)?, most(3)?);
        let grows = self.0.len() >= WORLDS && late * 100 > early * SHARE;
        grows.then(|| {
            let worlds = self.0.len();
            format!("of {worlds} worlds the second quarter held {early} KiB at most, and the last {late} KiB")
        })
    }
}

fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("/proc/self/status cannot be read")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    kib.context("no VmRSS in kB")?
        .trim()
        .parse()
        .context("VmRSS is no number")
}
