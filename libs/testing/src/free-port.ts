export { freePort } from '@gantry/jetstream/testing/free-port';
