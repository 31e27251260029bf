// Applies to every test: any test could end on the event thread, and a watchdog may be created where the name of the test is not known.
[assembly: Native.LibUsb.Tests.RunningTest]

// A process has one virtual bus at a time, and libusb's default context is one per process too.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
