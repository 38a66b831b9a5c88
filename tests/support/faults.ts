import { testDatabaseUrl } from './database'

// What takes minutes runs only with FAULTS=1, as in CI: faults and floods, servers of the tests' own, browsers, installations
// and builds.
export const areFaultsWanted = process.env.FAULTS === '1'
if (!areFaultsWanted) console.warn('left out: slow tests, which run with FAULTS=1')

/** Only in the run without a server, which has the tests that start their own. */
export const withFaults = areFaultsWanted && testDatabaseUrl === undefined
