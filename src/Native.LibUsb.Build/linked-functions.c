/*
 * Finds a libusb function by its name in a program that is statically linked with libusb. The dynamic loader cannot do this: a fully static program has no
 * dynamic loader, and other programs do not necessarily export the functions. The references to the functions are weak. If the archive lacks a function, the
 * address of that function is therefore null.
 *
 * The compiler driver compiles this file when a program is linked with LibUsbLink=static. The file includes no headers, because the machine may have
 * no headers for the target.
 */

#define FUNCTIONS(F) \
    F(libusb_alloc_streams) \
    F(libusb_alloc_transfer) \
    F(libusb_attach_kernel_driver) \
    F(libusb_bulk_transfer) \
    F(libusb_cancel_transfer) \
    F(libusb_claim_interface) \
    F(libusb_clear_halt) \
    F(libusb_close) \
    F(libusb_control_transfer) \
    F(libusb_detach_kernel_driver) \
    F(libusb_dev_mem_alloc) \
    F(libusb_dev_mem_free) \
    F(libusb_endpoint_set_raw_io) \
    F(libusb_endpoint_supports_raw_io) \
    F(libusb_error_name) \
    F(libusb_event_handler_active) \
    F(libusb_event_handling_ok) \
    F(libusb_exit) \
    F(libusb_free_bos_descriptor) \
    F(libusb_free_config_descriptor) \
    F(libusb_free_container_id_descriptor) \
    F(libusb_free_device_list) \
    F(libusb_free_interface_association_descriptors) \
    F(libusb_free_platform_descriptor) \
    F(libusb_free_pollfds) \
    F(libusb_free_ss_endpoint_companion_descriptor) \
    F(libusb_free_ss_usb_device_capability_descriptor) \
    F(libusb_free_ssplus_usb_device_capability_descriptor) \
    F(libusb_free_streams) \
    F(libusb_free_transfer) \
    F(libusb_free_usb_2_0_extension_descriptor) \
    F(libusb_get_active_config_descriptor) \
    F(libusb_get_active_interface_association_descriptors) \
    F(libusb_get_bos_descriptor) \
    F(libusb_get_bus_number) \
    F(libusb_get_config_descriptor) \
    F(libusb_get_config_descriptor_by_value) \
    F(libusb_get_configuration) \
    F(libusb_get_container_id_descriptor) \
    F(libusb_get_device) \
    F(libusb_get_device_address) \
    F(libusb_get_device_descriptor) \
    F(libusb_get_device_list) \
    F(libusb_get_device_speed) \
    F(libusb_get_device_string) \
    F(libusb_get_interface_association_descriptors) \
    F(libusb_get_max_alt_packet_size) \
    F(libusb_get_max_iso_packet_size) \
    F(libusb_get_max_packet_size) \
    F(libusb_get_max_raw_io_transfer_size) \
    F(libusb_get_next_timeout) \
    F(libusb_get_parent) \
    F(libusb_get_platform_descriptor) \
    F(libusb_get_pollfds) \
    F(libusb_get_port_number) \
    F(libusb_get_port_numbers) \
    F(libusb_get_port_path) \
    F(libusb_get_session_data) \
    F(libusb_get_ss_endpoint_companion_descriptor) \
    F(libusb_get_ss_usb_device_capability_descriptor) \
    F(libusb_get_ssplus_usb_device_capability_descriptor) \
    F(libusb_get_string_descriptor_ascii) \
    F(libusb_get_usb_2_0_extension_descriptor) \
    F(libusb_get_version) \
    F(libusb_handle_events) \
    F(libusb_handle_events_completed) \
    F(libusb_handle_events_locked) \
    F(libusb_handle_events_timeout) \
    F(libusb_handle_events_timeout_completed) \
    F(libusb_has_capability) \
    F(libusb_hotplug_deregister_callback) \
    F(libusb_hotplug_get_user_data) \
    F(libusb_hotplug_register_callback) \
    F(libusb_init) \
    F(libusb_init_context) \
    F(libusb_interrupt_event_handler) \
    F(libusb_interrupt_transfer) \
    F(libusb_kernel_driver_active) \
    F(libusb_lock_event_waiters) \
    F(libusb_lock_events) \
    F(libusb_open) \
    F(libusb_open_device_with_vid_pid) \
    F(libusb_pollfds_handle_timeouts) \
    F(libusb_ref_device) \
    F(libusb_release_interface) \
    F(libusb_reset_device) \
    F(libusb_set_auto_detach_kernel_driver) \
    F(libusb_set_configuration) \
    F(libusb_set_debug) \
    F(libusb_set_interface_alt_setting) \
    F(libusb_set_log_cb) \
    F(libusb_set_option) \
    F(libusb_set_pollfd_notifiers) \
    F(libusb_setlocale) \
    F(libusb_strerror) \
    F(libusb_submit_transfer) \
    F(libusb_transfer_get_stream_id) \
    F(libusb_transfer_set_stream_id) \
    F(libusb_try_lock_events) \
    F(libusb_unlock_event_waiters) \
    F(libusb_unlock_events) \
    F(libusb_unref_device) \
    F(libusb_wait_for_event) \
    F(libusb_wrap_sys_device)

#define DECLARE(name) extern void name(void) __attribute__((weak));
#define ENTRY(name) { #name, name },

FUNCTIONS(DECLARE)

struct function {
    const char *name;
    void (*address)(void);
};

static int are_equal(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return *left == *right;
}

void *native_libusb_find_function(const char *name)
{
    static const struct function functions[] = { FUNCTIONS(ENTRY) };

    for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (are_equal(functions[i].name, name))
            return (void *)functions[i].address;
    return (void *)0;
}
