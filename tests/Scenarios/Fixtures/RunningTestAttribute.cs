using System.Reflection;
using Xunit.v3;

namespace Native.LibUsb.Tests;

/// <summary>Names the test that runs, for its watchdog, and has it continue on the thread pool.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RunningTestAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        Watchdog.RunningTest = $"{methodUnderTest.ReflectedType?.Name}.{methodUnderTest.Name}";
        SynchronizationContext.SetSynchronizationContext(new PoolContext());
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test) => Watchdog.RunningTest = null;

    // What xunit runs after an awaiting test runs where the test has ended. On the event thread that would be in a callback of libusb, and so would all tests that
    // follow: nothing that they dispose could be closed. Code that awaits ignores a context of the base class itself.
    private sealed class PoolContext : SynchronizationContext;
}
