import { styleText } from 'node:util'

type Paint = (text: string) => string
export type Colours = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', Paint>>

/** Colours for a terminal; elsewhere, text is unchanged. */
export function createColours(areWanted: boolean): Colours {
  const paint =
    (style: keyof Colours): Paint =>
    (text) =>
      areWanted ? styleText(style, text, { validateStream: false }) : text
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  }
}

type Stream = { readonly isTTY?: boolean }

/** Whether a stream is a terminal that can do more than print lines. */
export const isTerminal = ({ isTTY }: Stream, environment: Readonly<Record<string, string | undefined>>) =>
  isTTY === true && environment.TERM !== 'dumb'

/** Whether to colour its output (https://no-color.org). */
export const wantsColours = (stream: Stream, environment: Readonly<Record<string, string | undefined>>) =>
  isTerminal(stream, environment) && !environment.NO_COLOR
