/**
 * Ends a wait at a signal or a failure. A race against one promise for all waits would keep every value that
 * was waited for until the end.
 */
export function createHalt(stopped: Promise<string>) {
  let ended: Promise<string> | undefined
  let interrupt = (_: Promise<string>) => {}
  function end(how: Promise<string>) {
    // Reported by the wait that it ends, if there is one.
    how.catch(() => {})
    ended ??= how
    interrupt(ended)
  }
  stopped.then((signal) => end(Promise.resolve(signal)))
  return {
    fail: (error: unknown) => end(Promise.reject(error)),
    before<Value>(work: Promise<Value>): Promise<Value | string> {
      if (ended !== undefined) {
        work.catch(() => {})
        return ended
      }
      return new Promise((resolve, reject) => {
        interrupt = resolve
        work.then(resolve, reject)
      })
    },
  }
}
