using System.Reflection;
using Xunit.v3;

namespace Native.LibUsb.Tests;

/// <summary>Names the running test for its watchdog, and makes the test continue on the thread pool.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class RunningTestAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        Watchdog.RunningTest = $"{methodUnderTest.ReflectedType?.Name}.{methodUnderTest.Name}";
        SynchronizationContext.SetSynchronizationContext(new PoolContext());
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test) => Watchdog.RunningTest = null;

    // After a test that awaits, xunit goes on in the test's context, or on the thread that ended the test when there is none. On the event thread xunit would
    // dispose the test, and run all tests that follow, inside a callback of libusb, where no handle or context can be closed. The class is derived because an await ignores a
    // context of the type SynchronizationContext itself.
    private sealed class PoolContext : SynchronizationContext;
}
