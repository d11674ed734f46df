// Colours and weights, where somebody looks at them.

/** What a paint puts around a text. */
const ESCAPE = '\u001b'
const PAINT = new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g')

/** A text without colours and weights; what else moves the cursor stays. */
export const unpainted = (text: string): string => text.replace(PAINT, '')

type Paint = (text: string) => string
export interface Style {
  bold: Paint
  dim: Paint
  red: Paint
  green: Paint
  yellow: Paint
  blue: Paint
  cyan: Paint
}

const plain: Paint = text => text
const code =
  (on: number, off: number): Paint =>
  text =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`

export const PLAIN: Style = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  blue: plain,
  cyan: plain,
}
export const COLOURS: Style = {
  bold: code(1, 22),
  dim: code(2, 22),
  red: code(31, 39),
  green: code(32, 39),
  yellow: code(33, 39),
  blue: code(34, 39),
  cyan: code(36, 39),
}

/** The colour of a task's status. */
export const paintOf = (style: Style, status: string): Paint => {
  if (status === 'SUCCESS') return style.green
  if (status === 'FAILURE') return style.red
  if (status === 'REVOKED') return style.yellow
  if (status === 'STARTED' || status === 'PROGRESS') return style.cyan
  return plain
}
