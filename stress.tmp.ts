import { createHelpers } from './src/kinds/lib/jobs/helpers.ts'
const seconds = Number(process.argv[2]); const end = performance.now()+seconds*1000; let n=0
const big = 3n**400000n, huge = 5n**3000000n
const jobs = [
 () => ['block',{series:'wijngaarden',a:20000,b:60000,prec:800000,last:false}],
 () => ['block',{series:'euler',a:20000,b:90000,prec:800000,last:false}],
 () => ['product',{x:huge,y:huge}],
 () => ['quotient',{x:big,y:big,shift:700000}],
 () => ['digits',{fraction:{bits:big,size:634000+128,digits:190000},guard:{bits:128}}],
 () => ['binomial',{n:3000000,k:1500000}],
 () => ['binomial',{n:9e15,k:90000}],
] as const
while (performance.now()<end) {
  const h = createHelpers(); const j = jobs[Math.floor(Math.random()*jobs.length)]!()
  // run twice so that optimised code is used
  const work=(async()=>{ for(;;) await h.perform(j[0] as 'product', j[1] as never) })().catch(()=>{})
  await new Promise(r=>setTimeout(r, 250+Math.random()*400)); await h.end(); await work; n++
}
console.log('survived', n)
