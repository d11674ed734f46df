// Lets a helping thread run from the TypeScript sources, as src/platform/boot-thread.mjs does. Not part of the build's path:
// dist starts helper-main.js itself.
import { register as registerCommonJs } from 'tsx/cjs/api'
import { register as registerModules } from 'tsx/esm/api'

registerCommonJs()
registerModules()
await import('./helper-main.ts')
