import { testDatabaseUrl } from './database'

// Faults that last, and floods, run only with FAULTS=1, as in CI: they take minutes.
export const areFaultsWanted = process.env.FAULTS === '1'
if (!areFaultsWanted) console.warn('left out: slow faults, which run with FAULTS=1')

/** Once, in the run without a server, which has the tests that bring one of their own. */
export const withFaults = areFaultsWanted && testDatabaseUrl === undefined
