using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Delivers libusb's log messages to the handlers. libusb passes no user data to its log callback, so the dispatcher uses the address of the context
/// to find the handler.</summary>
internal static unsafe class LogDispatcher
{
    private static readonly ConcurrentDictionary<nint, Entry> s_byContext = new();
    private static readonly Lock s_change = new(); // two threads must not call libusb_set_log_cb at the same time
    private static volatile UsbLogHandler? s_global;
    private static nint s_globalCallback; // the callback that this copy of the assembly registered last
    private static bool s_isUndoRegistered;

    // The process may contain several copies of this assembly. When a copy registers its callback with libusb, it also stores the callback in AppContext under
    // this name. All copies can therefore determine whose callback is registered.
    private const string GlobalCallbackName = "Native.LibUsb.GlobalLogCallback";

    // The handler of the context that this thread is opening. libusb can log messages for the context before this class knows the context's address.
    [ThreadStatic]
    private static UsbLogHandler? t_opening;

    /// <summary>Gets the callback for the option <see cref="libusb_option.LIBUSB_OPTION_LOG_CB"/>.</summary>
    public static delegate* unmanaged<libusb_context*, libusb_log_level, byte*, void> ContextCallback => &OnContextMessage;

    public static void SetGlobal(UsbLogHandler? handler)
    {
        lock (s_change)
        {
            // libusb must not keep a pointer to a function of an assembly that was unloaded.
            if (handler is not null && !s_isUndoRegistered && !(s_isUndoRegistered = LoadContextUnloading.TryRegister(UnregisterGlobal)))
                throw new InvalidOperationException("The library is being unloaded: its functions can no longer be registered with libusb.");
            s_global = handler;
            delegate* unmanaged<libusb_context*, libusb_log_level, byte*, void> callback = handler is null ? null : &OnGlobalMessage;
            libusb.libusb_set_log_cb(null, callback, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_GLOBAL);
            s_globalCallback = (nint)callback;
            AppContext.SetData(GlobalCallbackName, s_globalCallback);
        }
    }

    // libusb has only one global callback, which another copy of this assembly may have replaced. This method removes the callback only if this copy of the
    // assembly was the last to register one.
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

    /// <summary>Sets the handler that receives the messages of a context while this thread opens that context. Null removes the handler.</summary>
    public static void Opening(UsbLogHandler? handler) => t_opening = handler;

    /// <summary>Sets the handler of a context that was opened with <see cref="ContextCallback"/>.</summary>
    public static void Opened(libusb_context* context, UsbLogHandler handler) => s_byContext[(nint)context] = new Entry(handler);

    /// <summary>
    /// Finds the entry of a context. Call this method before libusb frees the context. When libusb has freed the context, pass the entry to
    /// <see cref="Forget"/>.
    /// </summary>
    public static object? Find(libusb_context* context) => s_byContext.GetValueOrDefault((nint)context);

    /// <summary>Removes the entry of a freed context. A new context may already have the same address. In that case, the method keeps the entry of the new
    /// context.</summary>
    public static void Forget(libusb_context* context, object? found)
    {
        if (found is Entry entry)
            s_byContext.TryRemove(KeyValuePair.Create((nint)context, entry));
    }

    /// <summary>Logs a message of this library: passes the message to the handlers that receive libusb's messages. If there is no handler, the method writes
    /// the message to standard error.</summary>
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
        if (handler is null || !LogScope.TryEnter()) // a handler that calls the raw layer does not receive messages about its own calls
            return;
        int error = Marshal.GetLastSystemError(); // after libusb has logged that a call failed, it reads errno for the reason
        try
        {
            handler((UsbLogLevel)level, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(message).TrimEnd("\r\n"u8));
        }
        catch (Exception)
        {
            // libusb's frames are on the stack, and libusb holds its locks, so the exception cannot be reported
        }
        finally
        {
            LogScope.Leave();
            Marshal.SetLastSystemError(error);
        }
    }

    // Entries are compared by identity, because two contexts may have the same handler.
    private sealed class Entry(UsbLogHandler handler)
    {
        public UsbLogHandler Handler { get; } = handler;
    }
}
