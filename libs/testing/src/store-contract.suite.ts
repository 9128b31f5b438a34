export { type StoreSubject, storeContractSuite } from '@gantry/event-sourcing/testing/store-contract.suite';
