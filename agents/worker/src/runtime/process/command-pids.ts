import { readFile } from 'node:fs/promises';

/** The command's processes: the sandbox tool is `pid`, its child is the namespace's first process, whose children they are. */
export async function commandPids(pid: number): Promise<number[]> {
  const [init] = await childrenOf(pid);
  return init === undefined ? [] : childrenOf(init);
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}
