using System.Reflection;
using Xunit.v3;

namespace Native.LibUsb.Tests;

/// <summary>Has xunit tell the watchdogs which test runs: they are often made where nobody knows.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RunningTestAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => Watchdog.RunningTest = $"{methodUnderTest.ReflectedType?.Name}.{methodUnderTest.Name}";

    public override void After(MethodInfo methodUnderTest, IXunitTest test) => Watchdog.RunningTest = null;
}
