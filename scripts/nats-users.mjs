#!/usr/bin/env node
// Writes deploy/nats/users.conf: node scripts/nats-users.mjs [worker id ...]
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** @type {typeof import('../libs/contracts/src/messaging/broker-users.js')} */
const { brokerUsersConfig } = await import(path.join(root, 'libs/contracts/dist/messaging/broker-users.js'));
const workers = process.argv.slice(2);
const file = path.join(root, 'deploy/nats/users.conf');
fs.writeFileSync(file, brokerUsersConfig(workers.length === 0 ? ['worker-1'] : workers));
console.log(`${path.relative(root, file)} written`);
