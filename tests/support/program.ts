import { SECRET } from './config'
import { compilers, executable } from './executable'
import { PASSWORD } from './server'
import { until, untilHashed } from './until'

// The program as an operator starts it: a separate process with only its environment.

// Even a failed test leaves no process behind.
const children = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export type Output = 'pipe' | ReturnType<typeof Bun.file>
export type Program = Awaited<ReturnType<typeof startProgram>>
type SpawnOptions = { args?: string[]; preload?: string; output?: Output }

export const quietSettings = { JWT_SECRET: SECRET, LIMITER_ENABLED: 'false', PORT: '0' }

function spawnProgram(environment: Record<string, string>, { args, preload, output = 'pipe' }: SpawnOptions) {
  // Only the sources can be started with something before them.
  const program =
    preload === undefined ? [executable] : [process.execPath, '--preload', preload, 'src/main.ts']
  const child = Bun.spawn([...program, ...(args ?? ['serve'])], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...compilers, ...environment },
    stdin: 'ignore',
    stdout: output,
    stderr: output,
  })
  children.add(child)
  child.exited.finally(() => children.delete(child))
  return child
}

/** Runs the program to its end. */
export async function runProgram(environment: Record<string, string>, args: string[] = ['serve']) {
  const child = spawnProgram(environment, { args })
  const textOf = (stream: typeof child.stdout) =>
    stream instanceof ReadableStream ? new Response(stream).text() : ''
  const [stdout, stderr, exitCode] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    child.exited,
  ])
  return { exitCode, stdout, stderr }
}

/** Starts `redlight serve`; resolves once it listens. */
export async function startProgram(environment: Record<string, string>, options: SpawnOptions = {}) {
  const program = launchProgram(environment, options)
  return { ...program, url: await program.listening }
}

/** The same without waiting. */
export function launchProgram(environment: Record<string, string>, options: SpawnOptions = {}) {
  const child = spawnProgram(environment, options)
  const lines: string[] = []
  const listening = Promise.withResolvers<URL>()
  async function read(stream: ReadableStream<Uint8Array>) {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) {
        lines.push(line)
        const { message, url } = line.startsWith('{') ? JSON.parse(line) : {}
        if (message === 'listening') listening.resolve(new URL(url))
      }
    }
  }
  if (child.stdout instanceof ReadableStream) read(child.stdout)
  else untilItAnswers(new URL(`http://127.0.0.1:${environment.PORT}`)).then(listening.resolve)
  if (child.stderr instanceof ReadableStream) read(child.stderr)
  child.exited.then((code) => listening.reject(new Error(`it ended with ${code}: ${lines.join('\n')}`)))

  // Callers that only wait for its end don't handle this promise.
  listening.promise.catch(() => {})
  return {
    listening: listening.promise,
    pid: child.pid,
    lines,
    /** Resolves once a line of the log has these words. */
    logged: (words: string) => until(() => lines.some((line) => line.includes(words))),
    exited: child.exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** Resolves with the exit code and the time it took. */
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      const startedAt = performance.now()
      child.kill(signal)
      return { exitCode: await child.exited, seconds: (performance.now() - startedAt) / 1000 }
    },
  }
}

async function untilItAnswers(url: URL): Promise<URL> {
  await until(async () => (await fetch(new URL('/v1/healthcheck', url)).catch(() => undefined))?.ok)
  return url
}

/** Registers a user who may read and write, activated with the command line, and signs in. */
export async function signUp(program: Pick<Program, 'url'>, environment: Record<string, string>) {
  const post = (path: string, body: unknown) =>
    fetch(new URL(path, program.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  // What a busy machine refuses may yet have been done, so each try has an address of its own.
  const { email } = await untilHashed(async () => {
    const email = `load-${crypto.randomUUID().slice(0, 8)}@example.com`
    const registered = await post('/v1/users', { name: 'Load', email, password: PASSWORD })
    const { status } = registered
    if (status !== 201 && status !== 503) throw new Error(`registration failed: ${await registered.text()}`)
    return { status, email }
  })
  const activated = await runProgram(environment, ['users', 'activate', email])
  if (activated.exitCode !== 0) throw new Error(`activation failed: ${activated.stderr}`)
  const signedIn = await untilHashed(() => post('/v1/tokens/authentication', { email, password: PASSWORD }))
  if (signedIn.status !== 201) throw new Error(`sign-in failed: ${await signedIn.text()}`)
  const { authentication_token }: { authentication_token: { token: string } } = JSON.parse(
    await signedIn.text(),
  )
  return { token: authentication_token.token, email, password: PASSWORD }
}
