// Starts a helper thread from the TypeScript sources, as src/platform/boot-thread.mjs does. Not used by the build,
// which starts helper-main.js directly.
import { register as registerCommonJs } from 'tsx/cjs/api'
import { register as registerModules } from 'tsx/esm/api'

registerCommonJs()
registerModules()
await import('./helper-main.ts')
