// What is wrong right now, for the menu and the title of every page.
import type { Trouble } from './answers.ts'
import { createCell } from './cell.ts'

/** Null until it is known. */
export const troubles = createCell<readonly Trouble[] | null>(null)
