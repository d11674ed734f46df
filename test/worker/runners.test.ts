// The suite of runners on each of them.
import { describeRunner } from '../suites/runners.ts'
import { openRunnerPlace, RUNNERS, whyNotHere } from './acts/places.ts'

for (const name of RUNNERS) describeRunner(`a ${name}`, () => openRunnerPlace(name), whyNotHere(name))
