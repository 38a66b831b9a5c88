import { testDatabaseUrl } from './database'

// Long faults and floods take minutes, so they run only with FAULTS=1, as in CI.
export const areFaultsWanted = process.env.FAULTS === '1'
if (!areFaultsWanted) console.warn('left out: slow faults, which run with FAULTS=1')

/** Only in the run without a server, which has the tests that start their own. */
export const withFaults = areFaultsWanted && testDatabaseUrl === undefined
