using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Interop;

/// <summary>
/// Tests that the library suppresses the GC transition only for native functions that never call a callback. Also tests that no exception can leave a C#
/// function that native code calls.
/// </summary>
public sealed class CallbackSafetyTests
{
    // These functions read or write a field and return. The functions take no lock, do not wait and log nothing, and therefore never call a callback.
    private static readonly string[] s_pureGetters =
    [
        "libusb_error_name", "libusb_get_bus_number", "libusb_get_device", "libusb_get_device_address", "libusb_get_device_speed", "libusb_get_parent",
        "libusb_get_port_number", "libusb_get_session_data", "libusb_get_version", "libusb_has_capability", "libusb_transfer_get_stream_id",
        "libusb_transfer_set_stream_id",
    ];

    private const string OnlyWritesAField = "OpeningDescriptor.OnAdded";

    [Fact]
    public void Only_pure_getters_suppress_the_GC_transition()
    {
        // The signature of a function pointer specifies whether a call through the pointer suppresses the GC transition.
        IEnumerable<string> pointers = RawSurface.Methods.Where(SuppressesTransition).Select(method => method.Name).Distinct();
        Assert.Equal(s_pureGetters, pointers.Order(StringComparer.Ordinal));

        // Each function that every supported version has is also an import.
        IEnumerable<string> imports = RawSurface.Imports.SelectMany(imports => imports)
            .Where(import => import.Method.IsDefined(typeof(SuppressGCTransitionAttribute))).Select(import => import.EntryPoint);
        Assert.Equal(s_pureGetters.Except(RawSurface.OptionalFunctions.Keys), imports.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_function_that_native_code_calls_catches_exceptions()
    {
        // A callback catches exceptions itself, or it directly calls a method that catches them.
        MethodInfo[] callbacks =
        [
            .. typeof(UsbContext).Assembly.GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                .Where(method => method.IsDefined(typeof(UnmanagedCallersOnlyAttribute))),
        ];
        Assert.Equal(
            [
                "HotplugMonitor.OnHotplug", "LogDispatcher.OnContextMessage", "LogDispatcher.OnGlobalMessage", OnlyWritesAField, "RingEngine.OnCompleted",
                "UsbContext.OnPollFdAdded", "UsbContext.OnPollFdRemoved", "UsbTransfer.OnCompleted",
            ],
            callbacks.Select(method => $"{method.DeclaringType!.Name}.{method.Name}").Order(StringComparer.Ordinal));
        foreach (MethodInfo callback in callbacks)
        {
            string name = $"{callback.DeclaringType!.Name}.{callback.Name}";
            Assert.True(name == OnlyWritesAField || Catches(callback) || Calls(callback).Any(Catches), $"{name} does not catch exceptions.");
        }
    }

    private static bool Catches(MethodBase method) =>
        method.GetMethodBody()?.ExceptionHandlingClauses.Any(clause => clause.Flags == ExceptionHandlingClauseOptions.Clause && clause.CatchType == typeof(Exception)) == true;

    private static bool SuppressesTransition(MethodInfo method) =>
        Tokens(method, calli: true).Any(token => SignatureNames(method.Module, token).Contains(nameof(CallConvSuppressGCTransition)));

    private static IEnumerable<MethodBase> Calls(MethodBase method) =>
        Tokens(method, calli: false)
            .Select(token => method.Module.ResolveMethod(token, method.DeclaringType!.GetGenericArguments(), null)!)
            .Where(called => called.DeclaringType?.Assembly == method.DeclaringType!.Assembly);

    /// <summary>
    /// Gets the tokens in the call instructions of a method. The search treats every byte of the method as the start of an instruction, so the result may
    /// contain wrong tokens. A wrong token is harmless, because it is very unlikely to identify the method or the signature that the test is looking for.
    /// </summary>
    private static IEnumerable<int> Tokens(MethodBase method, bool calli)
    {
        const byte call = 0x28, callIndirect = 0x29, callVirtual = 0x6f;
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int i = 0; i + 4 < code.Length; i++)
        {
            int token = BitConverter.ToInt32(code, i + 1);
            int table = token >> 24;
            if (calli ? code[i] == callIndirect && table == 0x11 : code[i] is call or callVirtual && table is 0x06 or 0x0a or 0x2b)
                yield return token;
        }
    }

    /// <summary>
    /// Gets the names of the custom modifiers of a signature's return type. The modifiers specify a calling convention that is not the platform's default.
    /// </summary>
    private static IEnumerable<string> SignatureNames(Module module, int token)
    {
        const byte modifier = 0x20; // ELEMENT_TYPE_CMOD_OPT, followed by a compressed type
        byte[] signature = module.ResolveSignature(token);
        for (int i = 1; i + 1 < signature.Length; i++)
        {
            if (signature[i] != modifier)
                continue;
            int coded = signature[i + 1] < 0x80 ? signature[i + 1]
                : signature[i + 1] < 0xc0 && i + 2 < signature.Length ? ((signature[i + 1] & 0x3f) << 8) | signature[i + 2] : 0;
            int table = (coded & 3) switch { 0 => 0x02, 1 => 0x01, _ => 0x1b };
            Type? type = null;
            try
            {
                type = module.ResolveType((table << 24) | (coded >> 2));
            }
            catch (ArgumentException)
            {
                // These bytes do not identify a type.
            }

            if (type is not null)
                yield return type.Name;
        }
    }
}
