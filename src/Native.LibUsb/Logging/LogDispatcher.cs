using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Brings libusb's log to the handlers. libusb gives its log callback no user data, so contexts are found by their address.</summary>
internal static unsafe class LogDispatcher
{
    private static readonly ConcurrentDictionary<nint, Entry> s_byContext = new();
    private static readonly Lock s_change = new(); // libusb_set_log_cb is not safe against itself
    private static volatile UsbLogHandler? s_global;
    private static nint s_globalCallback; // the callback that this copy of the assembly gave libusb last
    private static bool s_isUndoRegistered;

    // Where all copies of this assembly in the process can see which function libusb has.
    private const string GlobalCallbackName = "Native.LibUsb.GlobalLogCallback";

    // The handler of the context that this thread is opening: its address is not known yet, and it has something to say already.
    [ThreadStatic]
    private static UsbLogHandler? t_opening;

    /// <summary>Represents the address of the function that libusb calls, for <see cref="libusb_option.LIBUSB_OPTION_LOG_CB"/>.</summary>
    public static delegate* unmanaged<libusb_context*, libusb_log_level, byte*, void> ContextCallback => &OnContextMessage;

    public static void SetGlobal(UsbLogHandler? handler)
    {
        lock (s_change)
        {
            // libusb must not keep a pointer to a function of an assembly that is gone.
            if (handler is not null && !s_isUndoRegistered && !(s_isUndoRegistered = LoadContextUnloading.TryRegister(UnregisterGlobal)))
                throw new InvalidOperationException("The library is being unloaded: its functions cannot be registered with libusb any more.");
            s_global = handler;
            delegate* unmanaged<libusb_context*, libusb_log_level, byte*, void> callback = handler is null ? null : &OnGlobalMessage;
            libusb.libusb_set_log_cb(null, callback, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_GLOBAL);
            s_globalCallback = (nint)callback;
            AppContext.SetData(GlobalCallbackName, s_globalCallback);
        }
    }

    // There may be several copies of this assembly in the process, and libusb has one callback: it may be another copy's by now.
    private static void UnregisterGlobal()
    {
        lock (s_change)
        {
            s_global = null;
            if (s_globalCallback == 0 || AppContext.GetData(GlobalCallbackName) is not nint current || current != s_globalCallback)
                return;
            libusb.libusb_set_log_cb(null, null, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_GLOBAL);
            AppContext.SetData(GlobalCallbackName, null);
        }
    }

    public static void Set(libusb_context* context, UsbLogHandler? handler)
    {
        lock (s_change)
        {
            if (handler is null)
            {
                libusb.libusb_set_log_cb(context, null, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_CONTEXT);
                s_byContext.TryRemove((nint)context, out _);
            }
            else
            {
                s_byContext[(nint)context] = new Entry(handler);
                libusb.libusb_set_log_cb(context, &OnContextMessage, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_CONTEXT);
            }
        }
    }

    /// <summary>Messages of contexts that no thread knows, on this thread, go to a handler; null ends that.</summary>
    public static void Opening(UsbLogHandler? handler) => t_opening = handler;

    /// <summary>Gives a context its handler: one that was opened with <see cref="ContextCallback"/> has it from now on.</summary>
    public static void Opened(libusb_context* context, UsbLogHandler handler) => s_byContext[(nint)context] = new Entry(handler);

    /// <summary>Finds the handler of a context that is about to be freed, for <see cref="Forget"/>.</summary>
    public static object? Find(libusb_context* context) => s_byContext.GetValueOrDefault((nint)context);

    /// <summary>Forgets a context that is gone. Its address may be another's already, which keeps what it has.</summary>
    public static void Forget(libusb_context* context, object? found)
    {
        if (found is Entry entry)
            s_byContext.TryRemove(KeyValuePair.Create((nint)context, entry));
    }

    /// <summary>Writes a message of the library's own to the handlers that would get libusb's, or to standard error if there is none.</summary>
    public static void Write(libusb_context* context, UsbLogLevel level, string message)
    {
        UsbLogHandler? own = s_byContext.GetValueOrDefault((nint)context)?.Handler, global = s_global;
        if (own is null && global is null)
            Console.Error.WriteLine(message);
        fixed (byte* text = System.Text.Encoding.UTF8.GetBytes(message + '\0'))
        {
            Deliver(own, (libusb_log_level)level, text);
            Deliver(global, (libusb_log_level)level, text);
        }
    }

    [UnmanagedCallersOnly]
    private static void OnGlobalMessage(libusb_context* context, libusb_log_level level, byte* message) => Deliver(s_global, level, message);

    [UnmanagedCallersOnly]
    private static void OnContextMessage(libusb_context* context, libusb_log_level level, byte* message) =>
        Deliver(s_byContext.GetValueOrDefault((nint)context)?.Handler ?? t_opening, level, message);

    private static void Deliver(UsbLogHandler? handler, libusb_log_level level, byte* message)
    {
        if (handler is null || !LogScope.TryEnter()) // a handler that calls the raw layer receives no messages about its own calls
            return;
        int error = Marshal.GetLastSystemError(); // libusb logs that a call failed, and only then looks at errno to say why
        try
        {
            handler((UsbLogLevel)level, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(message).TrimEnd("\r\n"u8));
        }
        catch (Exception)
        {
            // libusb holds its locks and its frames are below, so the exception cannot be reported
        }
        finally
        {
            LogScope.Leave();
            Marshal.SetLastSystemError(error);
        }
    }

    // Compared by identity, and not by its handler: two contexts may have the same.
    private sealed class Entry(UsbLogHandler handler)
    {
        public UsbLogHandler Handler { get; } = handler;
    }
}
