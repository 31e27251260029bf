using System.Reflection;
using Xunit.v3;

namespace Native.LibUsb.Tests;

/// <summary>Records the name of the running test, so that a watchdog can report it. Makes the test continue on the thread pool after an await.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class RunningTestAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        Watchdog.RunningTest = $"{methodUnderTest.ReflectedType?.Name}.{methodUnderTest.Name}";
        SynchronizationContext.SetSynchronizationContext(new PoolContext());
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test) => Watchdog.RunningTest = null;

    // After a test that awaits, xunit continues in the test's synchronization context. Without a synchronization context, xunit continues on the thread that
    // ran the end of the test. If this thread is the event thread, xunit disposes the test and runs all later tests inside a callback of libusb. Inside a
    // callback, these tests could not close a handle or a libusb context. PoolContext derives from SynchronizationContext, because an await ignores a context
    // whose class is SynchronizationContext itself.
    private sealed class PoolContext : SynchronizationContext;
}
