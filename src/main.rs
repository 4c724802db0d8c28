fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut store = stratum::store::Store::open(std::path::Path::new(&args[0])).unwrap_or_else(|e| panic!("{e}"));
    let mut engine = store.engine(Default::default()).unwrap_or_else(|e| panic!("{e}"));
    let t = std::time::Instant::now();
    let r = stratum::runtime::import::import(&mut engine, &mut store, &args[1..], |_| true);
    println!("{r:#?} {:?}", t.elapsed());
}
