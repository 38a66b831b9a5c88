/** A command of a shell block, and the output in the comment below it. */
export type Step = { readonly line: number; readonly script: string; readonly shown: string }

/** Every command in the ```sh blocks of a page, in order. A command may have several lines. */
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

/** Whether the output matches the one shown, in which … stands for anything. */
export const isAsShown = (answer: string, shown: string) =>
  new RegExp(`^${shown.split('…').map(RegExp.escape).join('.*')}$`, 's').test(answer)

/** One bash for all commands, so that later ones see the variables of earlier ones. */
export function startShell(env: Record<string, string>) {
  const bash = Bun.spawn(['bash'], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const output = bash.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let unread = ''

  /** The command's output, with errors. */
  async function run(script: string): Promise<string> {
    // Its input is empty, because the rest is for the shell.
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
