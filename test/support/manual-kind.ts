// The built-in kind of the shared list, for tests that bring their own kinds.
import { loadKind } from '../../src/core/kind.ts'
import manualKind from '../../src/kinds/manual.ts'

export const manual = loadKind('manual', manualKind, 'manual.ts')
