//! `gwlb-lab tutorial`: the tutorial's steps without the aws command line, over the same API.

use std::process::ExitCode;

use super::Done;
use super::client::Client;
use super::place::Place;
use crate::steps::{QUICK, Step, TUTORIAL, Variables};

pub(super) fn tutorial(place: &Place, quick: bool) -> Done {
    let client = Client::of(place)?;
    let mut variables = Variables::new(place.prerequisites()?.variables);
    let mut step = |step: &Step| -> Result<(), String> {
        println!("$ {}", variables.fill(step.command));
        let answer = client.call(&variables.fill(step.form))?;
        variables.learn(step, &answer);
        for (name, _) in step.gives {
            println!("  {name}={}", variables.value(name));
        }
        Ok(())
    };
    for one in TUTORIAL {
        step(one)?;
        if quick && one.command.contains("create-target-group") {
            step(&QUICK)?;
        }
    }
    println!(
        "# done. gwlb-lab status shows when targets are healthy; gwlb-lab traffic sends something through"
    );
    Ok(ExitCode::SUCCESS)
}
