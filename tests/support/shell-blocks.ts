/** A command of a shell block, and the answer that stands below it as a comment. */
export type Step = { readonly line: number; readonly script: string; readonly shown: string }

/** Every command in the ```sh blocks of a page, in order. A command may go on in further lines. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = []
  const lines = page.split('\n')
  let isInside = false
  let started: { line: number; text: string } | undefined
  for (const [index, text] of lines.entries()) {
    if (text.startsWith('```')) isInside = text === '```sh'
    else if (!isInside || text === '') continue
    else if (started === undefined && text.startsWith('# ')) addAnswer(steps, text.slice(2))
    else {
      started = { line: started?.line ?? index + 1, text: started ? `${started.text}\n${text}` : text }
      if (text.endsWith('\\') || (started.text.match(/'/g) ?? []).length % 2 === 1) continue
      steps.push({ line: started.line, script: started.text, shown: '' })
      started = undefined
    }
  }
  return steps
}

function addAnswer(steps: Step[], text: string) {
  const last = steps.pop()
  if (last === undefined) throw new Error(`"${text}" is an answer to nothing`)
  steps.push({ ...last, shown: last.shown === '' ? text : `${last.shown}\n${text}` })
}

/** Whether an answer is what is shown of it, where … stands for anything. */
export const isAsShown = (answer: string, shown: string) =>
  new RegExp(`^${shown.split('…').map(RegExp.escape).join('.*')}$`, 's').test(answer)

/** One bash that runs commands one after the other, so that a variable is there for those that follow. */
export function startShell(env: Record<string, string>) {
  const bash = Bun.spawn(['bash'], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const output = bash.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let unread = ''

  /** What the command prints, errors too. */
  async function run(script: string): Promise<string> {
    // Its own input is empty: what follows is for the shell.
    bash.stdin.write(`{ ${script}\n} 2>&1 </dev/null; printf '\\0'\n`)
    bash.stdin.flush()
    while (!unread.includes('\0')) {
      const { value, done } = await output.read()
      if (done) throw new Error(`the shell ended in: ${script}`)
      unread += value
    }
    const [answer = '', ...rest] = unread.split('\0')
    unread = rest.join('\0')
    return answer.replaceAll('\r', '').trimEnd()
  }

  return { run, stop: () => bash.kill() }
}
