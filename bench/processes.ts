const running = new Set<Bun.Subprocess>()

/** Registers a process until it ends, so that none outlives the bench. */
export function watched<T extends Bun.Subprocess>(child: T): T {
  running.add(child)
  child.exited.finally(() => running.delete(child))
  return child
}

export async function killAll() {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map(({ exited }) => exited))
}

/** Returns a command's output; throws with its error output. */
export function run(command: string[], cwd: string, env = process.env): Promise<string> {
  return outputOf(command, watched(spawnPiped(command, cwd, env)))
}

/** The same for a command that mustn't be interrupted. */
export function runToItsEnd(command: string[], cwd: string): Promise<string> {
  return outputOf(command, spawnPiped(command, cwd, process.env))
}

const spawnPiped = (command: string[], cwd: string, env: typeof process.env) =>
  Bun.spawn(command, { cwd, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })

async function outputOf(command: string[], child: ReturnType<typeof spawnPiped>): Promise<string> {
  const [output, complaint, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (exitCode !== 0) throw new Error(`${command.join(' ')} failed: ${complaint || output}`)
  return output
}
