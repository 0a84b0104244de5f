//! What is printed of a load: medians over all rounds, and ratios taken within a round.

use std::fmt::{self, Write};

use super::{
    loads::{Load, STDIO},
    rounds::{Turn, Way},
    stage::{DIRECT, NGINX},
    statistics::{median, median_ratio},
};

/// One load and all its turns.
pub(super) struct Measured {
    pub(super) load: Load,
    pub(super) ways: Vec<Way>,
}

impl Measured {
    fn way(&self, name: &str) -> Option<&Way> {
        self.ways.iter().find(|way| way.name == name)
    }

    /// The ways through a gateway.
    pub(super) fn gateways(&self) -> impl Iterator<Item = &Way> {
        let ways = self.ways.iter();
        ways.filter(|way| way.name != DIRECT && way.name != NGINX)
    }

    /// Processor time of a way by that of another, round by round; none where there is no other: nginx may not be installed.
    pub(super) fn cpu_by(&self, way: &Way, other: &str) -> Option<f64> {
        self.ratio(way, other, |turn| turn.cpu_us)
    }

    fn ratio(&self, way: &Way, other: &str, figure: impl Fn(&Turn) -> f64) -> Option<f64> {
        let other = self.way(other)?;
        Some(median_ratio(&way.figures(&figure), &other.figures(&figure)))
    }

    /// Every turn as one line of tab-separated values.
    pub(super) fn raw(&self) -> String {
        let name = self.load.name();
        let mut text = String::new();
        for way in &self.ways {
            for (round, turn) in way.turns.iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{name}\t{}\t{round}\t{turn}", way.name);
            }
        }
        text
    }
}

/// The head of [`Measured::raw`].
pub(super) const RAW_HEAD: &str =
    "load\tway\tround\tp50_us\tp99_us\tworst_us\tcpu_us\town_us\tclient_us\tper_second\n";

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            p50_us,
            p99_us,
            worst_us,
            cpu_us,
            own_us,
            client_us,
            per_second,
        } = self;
        write!(
            f,
            "{p50_us:.2}\t{p99_us:.2}\t{worst_us:.2}\t{cpu_us:.2}\t{own_us:.2}\t{client_us:.2}\t{per_second:.0}"
        )
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = self.ways.first().map_or(0, |way| way.turns.len());
        writeln!(
            f,
            "\n{}: {}, {rounds} rounds",
            self.load.name(),
            self.load.title()
        )?;
        writeln!(
            f,
            "{:<16}{:>12}{:>9}{:>10}{:>10}{:>10}{:>9}{:>10}{:>11}",
            "way",
            "CPU us/call",
            "x nginx",
            "p50 us",
            "x direct",
            "x nginx",
            "p99 us",
            "calls/s",
            "client us"
        )?;
        self.ways.iter().try_for_each(|way| self.row(f, way))?;
        if self.load.backend() == STDIO {
            self.parts(f)?;
        } else if self.way(NGINX).is_none() {
            writeln!(f, "{NGINX:<16}not measured: apt-get install nginx-light")?;
        }
        self.builds(f)
    }
}

impl Measured {
    fn row(&self, f: &mut fmt::Formatter<'_>, way: &Way) -> fmt::Result {
        let of = |figure: fn(&Turn) -> f64| median(way.figures(figure));
        let p50 = |turn: &Turn| turn.p50_us;
        writeln!(
            f,
            "{:<16}{:>12.2}{:>9}{:>10.1}{:>10}{:>10}{:>9.1}{:>10.0}{:>11.2}",
            way.name,
            of(|turn| turn.cpu_us),
            shown(self.cpu_by(way, NGINX)),
            of(p50),
            shown(self.ratio(way, DIRECT, p50)),
            shown(self.ratio(way, NGINX, p50)),
            of(|turn| turn.p99_us),
            of(|turn| turn.per_second),
            of(|turn| turn.client_us),
        )
    }
}

impl Measured {
    /// How the gateways relate to the first of them.
    fn builds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gateways = self.gateways();
        let Some(first) = gateways.next() else {
            return Ok(());
        };
        gateways.try_for_each(|other| {
            let (name, first) = (&other.name, &first.name);
            let ratio = shown(self.ratio(other, first, |turn| turn.cpu_us));
            writeln!(f, "{name}: {ratio} times the processor time of {first}")
        })
    }

    /// What of a gateway's processor time is its own, and what its children's.
    fn parts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for way in self.gateways() {
            let (all, own) = (|turn: &Turn| turn.cpu_us, |turn: &Turn| turn.own_us);
            writeln!(
                f,
                "{}: {:.2} us of its own and {:.2} us of its children; {} times the pipes' in all",
                way.name,
                median(way.figures(own)),
                median(way.figures(|turn| all(turn) - own(turn))),
                shown(self.ratio(way, DIRECT, all)),
            )?;
        }
        Ok(())
    }
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}
