export { temporaryFolder } from '@gantry/jetstream/testing/temporary-folder';
