//! How a budget is told: one line, in columns.

/// A budget and what became of it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) goal: String,
    pub(crate) gate: String,
    pub(crate) measured: String,
    pub(crate) held: Held,
    pub(crate) command: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    No,
    NotMeasured,
}

impl Held {
    pub(crate) fn of(held: Option<bool>) -> Self {
        match held {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::NotMeasured,
        }
    }
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let held = match self.held {
            Held::Yes => "held".to_owned(),
            Held::No => "NOT HELD".to_owned(),
            Held::NotMeasured => format!("not measured: {}", self.command),
        };
        let columns = [&self.name, &self.goal, &self.gate, &self.measured];
        let [name, goal, gate, measured] = columns.map(String::clone);
        [name, goal, gate, measured, held]
    }
}

/// All rows under their headings.
pub(crate) fn table(rows: &[Row]) -> String {
    let headings = ["budget", "goal", "gate", "measured", ""].map(str::to_owned);
    let lines: Vec<_> = [headings]
        .into_iter()
        .chain(rows.iter().map(Row::cells))
        .collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max();
    let widths = [0, 1, 2, 3].map(|column| width(column).unwrap_or(0));
    let line = |cells: &[String; 5]| {
        let columns = widths.iter().zip(cells);
        let padded = columns.map(|(width, cell)| format!("{cell:<width$}  "));
        format!("{}{}", padded.collect::<String>(), cells[4])
    };
    lines
        .iter()
        .map(|cells| line(cells).trim_end().to_owned() + "\n")
        .collect()
}
