export { removeFolder, temporaryFolder } from '@gantry/jetstream/testing/temporary-folder';
