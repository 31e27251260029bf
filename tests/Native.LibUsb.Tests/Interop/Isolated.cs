using System.Reflection;
using System.Runtime.Loader;

namespace Native.LibUsb.Tests.Interop;

/// <summary>
/// Runs code on a new copy of the binding. The binding chooses its libusb only once. Each test that makes the binding choose a libusb therefore needs a new
/// copy. This class loads copies of the binding and of this assembly into a new load context. The copies have their own static fields, so no new process is
/// necessary.
/// </summary>
internal static class Isolated
{
    /// <summary>Loads a copy of this assembly, finds the scenario's method in the copy by its name, and runs this method.</summary>
    internal static void Run(Action<string> scenario, string argument = "")
    {
        MethodInfo method = scenario.Method;
        Assert.True(method.IsStatic, "A scenario is a static method: an instance would belong to the other copy.");
        Assembly copy = new Context().LoadFromAssemblyName(typeof(Isolated).Assembly.GetName());
        MethodInfo twin = copy.GetType(method.DeclaringType!.FullName!, throwOnError: true)!
            .GetMethod(method.Name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        twin.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [argument], null);
    }

    // The context is not collectible, because libusb is never unloaded either.
    private sealed class Context() : AssemblyLoadContext("isolated libusb")
    {
        protected override Assembly? Load(AssemblyName assemblyName) =>
            assemblyName.Name is "Native.LibUsb" or "Native.LibUsb.Tests"
                ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll"))
                : null;
    }
}
