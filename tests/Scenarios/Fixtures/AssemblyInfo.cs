// This attribute applies to every test, because any test can end on the event thread. It also records the name of the running test, which a watchdog may not
// have.
[assembly: Native.LibUsb.Tests.RunningTest]

// Tests run one at a time, because a process has only one virtual bus at a time, and libusb has only one default context per process.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
