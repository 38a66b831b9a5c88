// Faults that last, and floods, run only with FAULTS=1, as in CI: they take minutes.
export const withFaults = process.env.FAULTS === '1'
if (!withFaults) console.warn('left out: slow faults, which run with FAULTS=1')
