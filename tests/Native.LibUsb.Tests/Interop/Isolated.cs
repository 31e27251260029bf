using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>
/// Runs code on a new copy of the binding. The binding chooses its libusb only once. Each test that makes the binding choose a libusb therefore needs a new
/// copy. This class loads copies of the binding and of this assembly into a new load context. The copies have their own static fields, so no new process is
/// necessary.
/// </summary>
internal static class Isolated
{
    private const string Switch = "Native.LibUsb.UsesFunctionPointers";
    private static readonly Lock s_lock = new();

    // The copy of the binding that the other tests use must not read the switch while the switch is on.
    static Isolated() => ReadSwitch(typeof(libusb).Assembly);

    /// <summary>
    /// Loads a copy of this assembly, finds the scenario's method in the copy by its name, and runs this method. The class does this twice: in one copy, the
    /// binding uses imports, and in the other copy, it uses function pointers, as in a program that is compiled ahead of time.
    /// </summary>
    internal static void Run(Action<string> scenario, string argument = "")
    {
        MethodInfo method = scenario.Method;
        Assert.True(method.IsStatic, "A scenario is a static method: an instance would belong to the other copy.");
        RunOnCopy(method, argument, usesFunctionPointers: false);
        RunOnCopy(method, argument, usesFunctionPointers: true);
    }

    private static void RunOnCopy(MethodInfo method, string argument, bool usesFunctionPointers)
    {
        var context = new Context();
        lock (s_lock)
        {
            AppContext.SetSwitch(Switch, usesFunctionPointers);
            ReadSwitch(context.LoadFromAssemblyName(typeof(libusb).Assembly.GetName()));
            AppContext.SetSwitch(Switch, false);
        }

        Assembly copy = context.LoadFromAssemblyName(typeof(Isolated).Assembly.GetName());
        MethodInfo twin = copy.GetType(method.DeclaringType!.FullName!, throwOnError: true)!
            .GetMethod(method.Name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        twin.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [argument], null);
    }

    private static void ReadSwitch(Assembly binding) =>
        RuntimeHelpers.RunClassConstructor(binding.GetType("Native.LibUsb.Interop.ProgramBinding", throwOnError: true)!.TypeHandle);

    // The context is not collectible, because libusb is never unloaded either.
    private sealed class Context() : AssemblyLoadContext("isolated libusb")
    {
        protected override Assembly? Load(AssemblyName assemblyName) =>
            assemblyName.Name is "Native.LibUsb" or "Native.LibUsb.Tests"
                ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll"))
                : null;
    }
}
