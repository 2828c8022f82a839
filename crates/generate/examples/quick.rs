//! scratch
use nandseq_generate::*;
use nandseq_profile::*;
struct Null(u64);
impl nandseq_trace::Sink for Null {
    fn operation(&mut self, o: &nandseq_trace::Operation<'_>) -> std::io::Result<()> {
        self.0 += o.targets.len() as u64;
        Ok(())
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let text = if a[1] == "builtin" {
        nandseq_profile::builtin::text().to_owned()
    } else {
        std::fs::read_to_string(&a[1]).unwrap()
    };
    let (p, d) = nandseq_profile::read(&nandseq_profile::diagnostic::SourceFile::new(&a[1], &text), Default::default());
    println!("{}", d.has_errors());
    let mut p = p.unwrap();
    p.topology.dies = 2;
    p.topology.blocks_per_die = 1020;
    p.topology.pages_per_block = 2564;
    if a.len() > 3 {
        p.probabilities.global.clear();
    }
    let t = probability::of_profile(&p, 1729);
    let setup = Setup::new(&p, &t, &[]).unwrap();
    let mut s = Site::new(&setup, 42);
    let mut sink = Null(0);
    for r in 0..3 {
        let t0 = std::time::Instant::now();
        let sum = s
            .run(&RunLimits { run_until: Ticks::from_us(a[2].parse().unwrap()), ..Default::default() }, &mut sink)
            .unwrap();
        let dt = t0.elapsed();
        println!(
            "run {r}: ops {} in {:?} = {:.0}/s  span {} .. {}",
            sum.ops,
            dt,
            sum.ops as f64 / dt.as_secs_f64(),
            sum.start,
            sum.end
        );
        let mut by: std::collections::BTreeMap<&str, u64> = Default::default();
        for (i, n) in sum.by_op.iter().enumerate() {
            *by.entry(&p.bases[p.ops[OpId(i as u16)].base].name).or_default() += n;
        }
        println!("{by:?}");
        let mut rj: std::collections::BTreeMap<(&str, &str), u64> = Default::default();
        for ((_, o, r), n) in &sum.rejections {
            *rj.entry((p.bases[p.ops[*o].base].name.as_str(), r.code())).or_default() += n;
        }
        println!("{rj:?}");
    }
}
