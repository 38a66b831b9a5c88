// Preloaded into the program: at each signal, its wall clock jumps two hours ahead or back.

const JUMP_MS = 2 * 3_600_000
const RealDate = Date
let offsetMs = 0
process.on('SIGUSR2', () => {
  offsetMs = offsetMs > 0 ? -JUMP_MS : JUMP_MS
})

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) =>
    Reflect.construct(target, args.length === 0 ? [target.now() + offsetMs] : args),
  apply: (target) => new target(target.now() + offsetMs).toString(),
  get: (target, key) => (key === 'now' ? () => target.now() + offsetMs : Reflect.get(target, key)),
})
