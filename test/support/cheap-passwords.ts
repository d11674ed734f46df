// Loaded before the tests of `npm test`: password hashes of the test's own process cost little. What a test starts as a
// program of its own has the cost that users have.
import { setHashCost } from '../../src/access/passwords.ts'

setHashCost({ N: 1024, r: 8, p: 1 })
