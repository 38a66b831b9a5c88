import type { Command } from 'commander'
import { examine } from '../doctor/examine'
import type { Finding } from '../doctor/finding'
import { OperatorError } from '../errors'
import { visible, visibleJson } from '../visible'
import { addCommand, type CommandContext } from './command'

type DoctorOptions = { json?: boolean; repair?: boolean; sendTest?: string }

export function doctorCommand(program: Command, context: CommandContext) {
  addCommand(program, 'doctor', {
    summary: 'Check this host and suggest fixes',
    details: `Checks the settings, the database, its schema and clock, the mail server, the
proxy settings, the disk and who may read the secrets. It changes nothing unless
told to, runs next to the service, and works while the database is away. Exits 1
if something keeps the service from working.`,
    examples: ['redlight doctor', 'redlight doctor --send-test alice@example.com'],
  })
    .option('--json', 'print the findings as JSON')
    .option('--repair', 'correct the count of movies if it is wrong')
    .option('--send-test <address>', 'also send a mail to this address')
    .action(async ({ json, repair = false, sendTest }: DoctorOptions) => {
      const findings = await lookAt(context, repair, sendTest)
      const failed = findings.filter(({ status }) => status === 'fail').length
      if (json) context.printText(visibleJson({ ok: failed === 0, findings }))
      else for (const finding of findings) show(finding, context)
      if (failed > 0) throw new OperatorError(`${failed} of ${findings.length} checks failed`)
    })
}

async function lookAt(context: CommandContext, repairs: boolean, testAddress?: string) {
  using _ = context.progress('checking')
  return await examine({
    ...context,
    repairs,
    testAddress,
    log: context.createLog({ logLevel: 'error' }),
  })
}

function show({ area, status, what, fix }: Finding, { printText, colours }: CommandContext) {
  const paint = { ok: colours.green, warn: colours.yellow, fail: colours.red }[status]
  printText(`${paint(status.padEnd(4))}  ${area.padEnd(8)}  ${visible(what)}`)
  if (fix !== undefined) printText(colours.dim(`${' '.repeat(16)}→ ${visible(fix)}`))
}
